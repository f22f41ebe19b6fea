"""A snapshot: the finished waves of an output as one value, which every room takes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, ValidationError

from fruits_pipeline.errors import DatasetError
from fruits_pipeline.state import layout
from fruits_pipeline.state.counts import Counts, added
from fruits_pipeline.state.files import FileMark
from fruits_pipeline.state.fingerprint import digest_of
from fruits_pipeline.state.plan import Plan, PlannedWave, required_plan
from fruits_pipeline.state.recipe import Recipe
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.store import Store


class WaveMarker(BaseModel):
    """One finished wave: what it was made from and how, what became of its images, and its files.

    Attributes:
        wave: Its name.
        digest: Of its manifest rows, as in the plan.
        recipe: How its features were computed.
        counts: Its objects; none is pending.
        manifest: Its manifest file.
        files: Files of features and rejects, perhaps of another wave that had the same images.
    """

    model_config = ConfigDict(frozen=True)

    wave: str
    digest: str
    recipe: Recipe
    counts: Counts
    manifest: FileMark
    files: tuple[FileMark, ...]

    def of(self, dataset: str) -> tuple[FileMark, ...]:
        """The Parquet files of one dataset."""
        files = (self.manifest, *self.files)
        return tuple(file for file in files if file.key.startswith(f"{dataset}/") and file.is_data)


@dataclass(frozen=True)
class Snapshot:
    """Finished waves, all that their plan wants.

    Attributes:
        root: The output's address.
        source_root: The root of the source.
        waves: At least one, in order of their first path.
        calibrated_with: SHA-256 of the images that an int8 model was calibrated with.
    """

    root: str
    source_root: str
    waves: tuple[WaveMarker, ...]
    calibrated_with: tuple[str, ...] = ()

    @property
    def counts(self) -> Counts:
        """All objects of the source."""
        return added(wave.counts for wave in self.waves).checked()

    @property
    def digest(self) -> str:
        """SHA-256 of what the waves hold: rows, recipe and files; equal digests mean equal features and labels."""
        waves = sorted(
            [wave.digest, wave.recipe.digest, *(file.checksum for file in wave.files if file.is_data)]
            for wave in self.waves
            if wave.counts.images
        )
        return digest_of({"waves": [list(wave) for wave in waves]})

    def files(self, dataset: str) -> list[str]:
        """The addresses of all files of ``manifest``, ``features`` or ``rejects``."""
        return [uri.join(self.root, file.key) for wave in self.waves for file in wave.of(dataset)]

    def parts(self, most_images: int) -> "Iterable[Snapshot]":
        """The same waves in snapshots of at most ``most_images`` images, or of one wave that has more."""
        part: list[WaveMarker] = []
        images = 0
        for wave in self.waves:
            if part and images + wave.counts.images > most_images:
                yield Snapshot(self.root, self.source_root, tuple(part))
                part, images = [], 0
            part.append(wave)
            images += wave.counts.images
        yield Snapshot(self.root, self.source_root, tuple(part))


def load_waves(store: Store) -> dict[str, WaveMarker]:
    """The markers of all finished waves by name, wanted or not.

    Raises:
        DatasetError: When a marker is damaged.
    """
    keys = [found.key for found in store.objects(layout.WAVES) if found.key.endswith(".json")]
    waves = [_parsed(store, key, content) for key, content in zip(keys, store.read_many(keys), strict=True)]
    return {wave.wave: wave for wave in waves}


def mark_wave(store: Store, wave: WaveMarker) -> None:
    """Marks a wave finished; what it names is complete before.

    A marker that a job sent before it lost its lease, and that the server carries out late, replaces none: it is sent
    on the condition that there is none.
    """
    key, content = layout.wave_marker(wave.wave), wave.model_dump_json().encode()
    if not store.create(key, content):
        store.write(key, content)


def is_finished(planned: PlannedWave, found: Mapping[str, WaveMarker]) -> bool:
    """Whether a marker says that exactly this wave is finished."""
    marker = found.get(planned.wave)
    return marker is not None and marker.digest == planned.digest


def snapshot_of(store: Store, plan: Plan, found: dict[str, WaveMarker]) -> Snapshot:
    """The snapshot that ``plan`` wants.

    Raises:
        DatasetError: When some of its waves are not finished.
    """
    missing = [wave for wave in plan.waves if not is_finished(wave, found)]
    if missing or not plan.waves:
        images = sum(wave.counts.images for wave in missing)
        raise DatasetError(
            f"expected finished features under {store.root}, found {len(plan.waves) - len(missing)} of "
            f"{len(plan.waves)} batches of images done, {images} images are still to be read; run the same 'extract' "
            "or 'run' "
            "again: it resumes"
        )
    waves = tuple(found[wave.wave] for wave in plan.waves)
    return Snapshot(store.root, plan.source_root, waves, _calibrated_with(store, waves[0].recipe))


def _calibrated_with(store: Store, recipe: Recipe) -> tuple[str, ...]:
    if recipe.settings.get("precision") != "int8" or store.stat(layout.CALIBRATED) is None:
        return ()
    return tuple(store.read(layout.CALIBRATED).decode().split())


def load_snapshot(store: Store) -> Snapshot:
    """The snapshot of an output.

    Raises:
        DatasetError: When there is none, or it is not finished, or the job that made it refused it.
    """
    plan = required_plan(store)
    if plan.refused:
        raise DatasetError(f"{plan.refused}; run the same 'extract' or 'run' again once they are mended or allowed")
    return snapshot_of(store, plan, load_waves(store))


def _parsed(store: Store, key: str, content: bytes) -> WaveMarker:
    try:
        return WaveMarker.model_validate_json(content)
    except ValidationError as error:
        raise DatasetError(
            f"expected the record of a batch of images at {store.root}/{key}, found something else "
            f"({error.error_count()} faults); "
            "delete that file: the next 'extract' computes the batch again"
        ) from error
