"""Upkeep of the waves' folders: leftovers of killed jobs are removed, damaged waves noticed, replaced ones dropped."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fruits_pipeline.state import layout
from fruits_pipeline.state.files import OURS, FileMark, refuse_foreign
from fruits_pipeline.state.fingerprint import Essentials
from fruits_pipeline.state.packs import PackedWave, load_pack
from fruits_pipeline.state.plan import Plan, PlannedWave, load_plan, save_plan
from fruits_pipeline.state.snapshot import WaveMarker, load_waves
from fruits_pipeline.storage.store import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Standing:
    """What stands in an output: its plan, and the markers of all finished and all packed waves by name."""

    plan: Plan
    waves: dict[str, WaveMarker]
    packed: dict[str, PackedWave]


def tidied(store: Store, settings: Essentials) -> Standing:
    """What stands in the output, once it holds nothing else of ours; the folders of waves are ours from then on.

    One listing for each folder of waves. Waves whose files are gone or have another length lose their markers, and are
    planned and computed again.

    Raises:
        DatasetError: When there is no plan, and a folder holds files already; or as ``load_plan``.
    """
    plan = load_plan(store)
    if plan is None:
        refuse_foreign(store, layout.BY_WAVE)
        plan = Plan(settings=settings, source_root="")
        save_plan(store, plan)
    waves, packed = load_waves(store), load_pack(store)
    lengths = {found.key: found.length for dataset in layout.BY_WAVE for found in store.objects(dataset)}
    plan = plan.model_copy(update={"waves": tuple(w for w in plan.waves if _whole(w.wave, [w.manifest], lengths))})
    waves = {name: wave for name, wave in waves.items() if _kept(store, layout.wave_marker(name), wave, lengths)}
    packed = {name: wave for name, wave in packed.items() if _kept(store, layout.packed_marker(name), wave, lengths)}
    named = named_keys(plan.waves, waves.values(), packed.values())
    store.delete([key for key in lengths if key not in named and OURS.search(key)])
    store.delete([found.key for found in store.objects(layout.STATE) if found.key.endswith(".tmp")])
    return Standing(plan, waves, packed)


def drop_manifests(store: Store, before: Plan, plan: Plan, waves: Mapping[str, WaveMarker]) -> None:
    """Deletes the manifests of the plan before that neither the plan nor a finished wave has."""
    old = [wave.manifest for wave in before.waves]
    _drop(store, [], old, named_keys(plan.waves, waves.values(), ()))


def drop_replaced(store: Store, plan: Plan, waves: Mapping[str, WaveMarker]) -> None:
    """Deletes the finished waves that the plan does not want, and those of their files that no other wave has."""
    wanted = {wave.wave for wave in plan.waves}
    old = [wave for name, wave in waves.items() if name not in wanted]
    _drop(
        store,
        [layout.wave_marker(wave.wave) for wave in old],
        [file for wave in old for file in (wave.manifest, *wave.files)],
        named_keys(plan.waves, [wave for name, wave in waves.items() if name in wanted], ()),
    )


def drop_features(store: Store, plan: Plan, waves: Mapping[str, WaveMarker]) -> None:
    """Deletes features and rejects of all waves; their manifests stay, as far as the plan wants them."""
    files = [file for wave in waves.values() for file in (wave.manifest, *wave.files)]
    _drop(store, [layout.wave_marker(name) for name in waves], files, named_keys(plan.waves, (), ()))


def drop_packed(store: Store, plan: Plan, packed: Mapping[str, PackedWave]) -> None:
    """Deletes the packed waves that the plan does not want, and those of their files that no other wave has."""
    wanted = {wave.wave for wave in plan.waves}
    old = [wave for name, wave in packed.items() if name not in wanted]
    markers = [layout.packed_marker(wave.wave) for wave in old]
    kept = [wave for name, wave in packed.items() if name in wanted]
    _drop(store, markers, [file for wave in old for file in wave.files], named_keys(plan.waves, (), kept))


def _drop(store: Store, markers: list[str], files: list[FileMark], keep: frozenset[str]) -> None:
    """Markers go first: what they name must be whole as long as they stand."""
    store.delete(markers)
    store.delete(sorted({file.key for file in files} - keep))


def named_keys(
    planned: Iterable[PlannedWave], waves: Iterable[WaveMarker], packed: Iterable[PackedWave]
) -> frozenset[str]:
    """The keys of all files that planned waves or markers name."""
    files = [wave.manifest for wave in planned]
    files += [file for wave in waves for file in (wave.manifest, *wave.files)]
    files += [file for wave in packed for file in wave.files]
    return frozenset(file.key for file in files)


def _kept(store: Store, marker: str, wave: WaveMarker | PackedWave, lengths: Mapping[str, int]) -> bool:
    """Whether the wave's files are whole; the marker of one that is not is deleted."""
    files = [*wave.files, wave.manifest] if isinstance(wave, WaveMarker) else list(wave.files)
    if _whole(wave.wave, files, lengths):
        return True
    store.delete([marker])
    return False


def _whole(wave: str, files: Iterable[FileMark], lengths: Mapping[str, int]) -> bool:
    broken = [file.key for file in files if lengths.get(file.key) != file.length]
    if broken:
        log.warning("batch=%s is computed again because %s is gone or has another length", wave, broken[0])
    return not broken
