"""Markers of packed waves: a pack is made from the manifest alone, wave by wave."""

from pydantic import BaseModel, ConfigDict, ValidationError

from fruits_pipeline.errors import DatasetError
from fruits_pipeline.state import layout
from fruits_pipeline.state.files import FileMark
from fruits_pipeline.state.plan import required_plan
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.store import Store


class PackedWave(BaseModel):
    """One wave whose images' contents were written as Parquet.

    Attributes:
        wave: Its name.
        contents: SHA-256 of path, length and time of its images: waves of equal ones share their files.
        images: Its images.
        without_content: Images, of those, that could not be read.
        files: Its files below ``packed/``, perhaps of another wave that had the same images.
    """

    model_config = ConfigDict(frozen=True)

    wave: str
    contents: str
    images: int
    without_content: int
    files: tuple[FileMark, ...]


def load_pack(store: Store) -> dict[str, PackedWave]:
    """The markers of all packed waves by name, wanted or not.

    Raises:
        DatasetError: When a marker is damaged.
    """
    keys = [found.key for found in store.objects(layout.PACKED_WAVES) if found.key.endswith(".json")]
    waves: dict[str, PackedWave] = {}
    for key, content in zip(keys, store.read_many(keys), strict=True):
        try:
            wave = PackedWave.model_validate_json(content)
        except ValidationError as error:
            raise DatasetError(
                f"expected the record of a packed batch at {store.root}/{key}, found something else "
                f"({error.error_count()} faults); delete that file: the next 'pack' packs the batch again"
            ) from error
        waves[wave.wave] = wave
    return waves


def packed_files(store: Store) -> tuple[str, ...]:
    """The addresses of all files of the pack that its plan wants; a killed ``pack`` may have left others."""
    planned = {wave.wave for wave in required_plan(store).waves}
    waves = (wave for name, wave in load_pack(store).items() if name in planned)
    return tuple(uri.join(store.root, file.key) for wave in waves for file in wave.files if file.is_data)


def mark_packed(store: Store, wave: PackedWave) -> None:
    """Marks a wave packed; its files are complete before."""
    store.write(layout.packed_marker(wave.wave), wave.model_dump_json().encode())
