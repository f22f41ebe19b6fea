"""The plan of an output, ``_state/snapshot.json``: which waves its snapshot consists of, finished or not.

Ingest writes it at once, after the manifests of all its waves; until then the plan before it holds.
"""

import json

from pydantic import BaseModel, ConfigDict

from fruits_pipeline.errors import DatasetError
from fruits_pipeline.state import layout
from fruits_pipeline.state.counts import Change, Counts, Sides, added
from fruits_pipeline.state.files import FileMark
from fruits_pipeline.state.fingerprint import Essentials
from fruits_pipeline.storage.store import Store

# Raised whenever an older version of this package could not read what this one writes, or the reverse.
VERSION = 4


class PlannedWave(BaseModel):
    """One wave of the manifest, written once and never changed.

    Attributes:
        wave: Its name; no other wave of this output has it, or ever had.
        digest: SHA-256 of its images' rows (path, source_path, length, modified, label, split), in order of path.
        manifest: Its only manifest file.
        first: Its first path.
        counts: Its objects; images to be read are ``pending``.
        common_bytes: The length that 95 % of its images keep below.
        sources: Finished waves that have features of some of its images.
    """

    model_config = ConfigDict(frozen=True)

    wave: str
    digest: str
    manifest: FileMark
    first: str
    counts: Counts
    common_bytes: int = 0
    sources: tuple[str, ...] = ()


class Plan(BaseModel):
    """What the output is to hold.

    Attributes:
        version: Of the layout of the state.
        settings: Ingest's settings that change the result.
        source_root: The source's root, below which labels stand.
        packed: The address of the pack, when the source is one.
        next_wave: The first number that no wave has ever had.
        waves: In order of their first path.
        change: What has changed since the plan before; ``computed`` counts new and changed images.
        refused: Why its features may not be used: too many rejects; None where they may.
        sides: Its images by split.
    """

    model_config = ConfigDict(frozen=True)

    version: int = VERSION
    settings: Essentials
    source_root: str
    packed: str | None = None
    next_wave: int = 0
    waves: tuple[PlannedWave, ...] = ()
    change: Change = Change()
    refused: str | None = None
    sides: Sides = Sides()

    @property
    def facts(self) -> "PlanFacts":
        """What ``run.json`` says of it."""
        return PlanFacts(source_root=self.source_root, waves=len(self.waves), counts=self.counts, sides=self.sides)

    @property
    def counts(self) -> Counts:
        """All objects of the source; images to be read are ``pending``."""
        return added(wave.counts for wave in self.waves).checked()

    def replacing(self, old: PlannedWave, new: PlannedWave) -> "Plan":
        """The same plan with ``new`` in the place of ``old``."""
        waves = tuple(new if wave.wave == old.wave else wave for wave in self.waves)
        return self.model_copy(update={"waves": waves})


class PlanFacts(BaseModel):
    """A plan in a few numbers, for ``run.json``."""

    model_config = ConfigDict(frozen=True)

    source_root: str
    waves: int
    counts: Counts
    sides: Sides


def wave_name(number: int) -> str:
    """The name of the wave with this number.

    >>> wave_name(7)
    '00007'
    """
    return f"{number:05d}"


def load_plan(store: Store) -> Plan | None:
    """The output's plan, or None where nothing was planned yet.

    Raises:
        DatasetError: When the output was made by another version of this package, or the plan is damaged.
    """
    if store.stat(layout.SNAPSHOT) is None:
        if store.stat(layout.FORMER_MARKER) is not None:
            raise _of_another_version(store, 1)
        return None
    try:
        content = json.loads(store.read(layout.SNAPSHOT))
        version = content["version"]
        if version == VERSION:
            return Plan.model_validate(content)
    except (ValueError, TypeError, KeyError) as error:
        raise DatasetError(
            f"expected the list of this output's batches of images at {store.root}/{layout.SNAPSHOT}, found something "
            "else; "
            "take another --output-uri, or delete this output"
        ) from error
    raise _of_another_version(store, version)


def required_plan(store: Store) -> Plan:
    """The output's plan.

    Raises:
        DatasetError: When nothing was planned there, or as ``load_plan``.
    """
    plan = load_plan(store)
    if plan is None:
        raise DatasetError(
            f"expected finished features under {store.root}, found none; run 'extract' or 'run' with this "
            "--output-uri first"
        )
    return plan


def save_plan(store: Store, plan: Plan) -> None:
    """Writes the plan at once, in place of the one before."""
    store.write(layout.SNAPSHOT, plan.model_dump_json(indent=1).encode())


def _of_another_version(store: Store, version: int) -> DatasetError:
    return DatasetError(
        f"expected an output of version {VERSION} under {store.root}, found one of version {version}, made by another "
        "release of fruits-pipeline; take another --output-uri, or delete this output and run again"
    )
