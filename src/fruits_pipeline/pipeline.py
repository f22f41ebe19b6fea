"""The order of the rooms, and the rule of resume, for every command that runs on Spark."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from pydantic import JsonValue
from pyspark.sql import SparkSession

from fruits_pipeline.backbones.model import prepare
from fruits_pipeline.backbones.request import model_essentials, model_request
from fruits_pipeline.classify.build import build_classified
from fruits_pipeline.features.build import build_features, tally
from fruits_pipeline.features.job import FeatureJob
from fruits_pipeline.images.reason import Reason
from fruits_pipeline.ingest.build import build_manifest
from fruits_pipeline.ingest.listing import AnySource, place_of, source_at, spelled
from fruits_pipeline.ingest.pack import build_pack
from fruits_pipeline.ingest.packed import PackedSource
from fruits_pipeline.reduce.build import build_reduced
from fruits_pipeline.reduce.export import build_export
from fruits_pipeline.session.spark import cores, spark_session
from fruits_pipeline.settings.classify import ClassifySettings
from fruits_pipeline.settings.commands import JobCommand
from fruits_pipeline.settings.features import FeaturesSettings
from fruits_pipeline.settings.ingest import IngestSettings
from fruits_pipeline.settings.pack import PackSettings
from fruits_pipeline.settings.reduce import ReduceSettings
from fruits_pipeline.settings.room import Room
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.state.counts import Counts
from fruits_pipeline.state.fingerprint import Fingerprint, digest_of
from fruits_pipeline.state.lease import leased
from fruits_pipeline.state.ledger import Ledger, Verdict
from fruits_pipeline.state.marker import RoomMarker
from fruits_pipeline.state.record import RunRecord
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.storage.source import refuse_overlap
from fruits_pipeline.storage.store import Store

log = logging.getLogger(__name__)

Facts = dict[str, JsonValue]

# The rooms of the flow; a command runs those whose settings it has.
FLOW = ("ingest", "pack", "features", "reduce", "classify")


def execute(name: str, command: JobCommand) -> Facts:
    """Runs the rooms whose settings ``command`` has, in order; gives what ``run.json`` holds.

    Raises:
        FruitsError: One of its kinds, as each room's ``build`` says.
    """
    rooms: dict[str, Room] = {room: getattr(command, room) for room in FLOW if hasattr(command, room)}
    essentials = {room: _essentials(settings) for room, settings in rooms.items()}
    ingest = rooms.get("ingest")
    source = source_at(ingest.data_source, command.storage) if isinstance(ingest, IngestSettings) else None
    if source:
        refuse_overlap(place_of(source), command.output.output_uri)
    store = open_store(command.output.output_uri, command.storage)
    record = RunRecord(name, command.flattened())
    with leased(store), record.kept(store):
        ledger = Ledger(store, overwrite=command.output.overwrite)
        ledger.check(essentials)
        if source:
            source.check()
        if (first := FLOW.index(next(iter(rooms)))) > 0:
            ledger.finished(FLOW[first - 1])
        with spark_session(command.session, command.storage, _by_spark(store, source, rooms.get("features"))) as spark:
            job = _Job(spark, store, ledger, record, command.storage)
            for room, settings in rooms.items():
                with job.timed(room):
                    getattr(job, room)(settings, essentials[room])
    return record.content


def _by_spark(store: Store, source: AnySource | None, features: Room | None) -> frozenset[str]:
    """Schemes that Spark itself reads and writes; images in buckets are fetched by the workers, unless asked."""
    addresses = [store.root]
    if isinstance(source, PackedSource):
        addresses.append(source.address)
    elif source and isinstance(features, FeaturesSettings) and features.reader == "binaryfile":
        addresses.append(source.root)
    return frozenset(map(uri.scheme, addresses))


def _essentials(settings: Room) -> Facts:
    """What of a room's settings changes its result, resolved: no default depends on another setting."""
    resolved = settings.essentials()
    if isinstance(settings, IngestSettings):
        resolved["data_source"] = spelled(settings.data_source)
    if isinstance(settings, FeaturesSettings):
        resolved |= model_essentials(settings)
    return resolved


@dataclass(frozen=True)
class _Job:
    """One command at work on one output; each method is one room, named as in ``FLOW``."""

    spark: SparkSession
    store: Store
    ledger: Ledger
    record: RunRecord
    storage: StorageSettings

    @contextmanager
    def timed(self, room: str) -> Iterator[None]:
        """Notes the seconds that the block takes, and logs its end."""
        started_s = time.monotonic()
        try:
            yield
        finally:
            self.record.seconds[room] = round(time.monotonic() - started_s, 1)
        log.info("finished room=%s seconds=%.1f", room, self.record.seconds[room])

    def ingest(self, settings: IngestSettings, essentials: Facts) -> None:
        """Lists the source, always: a grown source gets new waves."""
        before = self.ledger.marker("ingest")
        self.ledger.begin("ingest", Fingerprint(settings=essentials))
        next_wave = int(str(before.facts.get("next_wave", 0))) if before else 0
        source = source_at(settings.data_source, self.storage)
        manifest = build_manifest(source, self.store, settings, cores(self.spark), next_wave)
        facts = asdict(manifest) | {"counts": manifest.counts.model_dump(), "source_root": source.root}
        if isinstance(source, PackedSource):
            facts["packed"] = source.contents
        self._finish("ingest", facts)
        self.record.counts = manifest.counts

    def pack(self, settings: PackSettings, essentials: Facts) -> None:
        """Rewrites the waves of the manifest that are not yet packed."""
        ingest = self.ledger.finished("ingest")
        manifest: Facts = {"files": [file.checksum for file in ingest.files]}
        fingerprint = Fingerprint(settings=essentials, input=digest_of(manifest))
        if self.ledger.begin("pack", fingerprint) is not Verdict.DONE:
            facts = build_pack(self.spark, self.store, self.ledger, settings, self.storage)
            self._finish("pack", facts | {"source_root": _source_root(ingest)})
        packed = self.ledger.finished("pack").facts
        lost = int(str(packed["without_content"]))
        found = Counts.model_validate(ingest.facts["counts"])
        read = {"read": found.pending - lost, "rejected": lost, "pending": 0}
        reasons = {"reject_reasons": {Reason.UNREADABLE.value: lost} if lost else {}}
        self.record.counts = found.model_copy(update=read | reasons)
        self.record.rooms["pack"] = packed

    def features(self, settings: FeaturesSettings, essentials: Facts) -> None:
        """Computes the waves that lack a marker."""
        ingest = self.ledger.finished("ingest")
        fingerprint = Fingerprint(settings=essentials, input=ingest.fingerprint.digest)
        self.ledger.begin("features", fingerprint)
        model = prepare(model_request(settings))
        source = open_store(_source_root(ingest), self.storage)
        packed = ingest.facts.get("packed")
        job = FeatureJob(
            spark=self.spark,
            source=source,
            store=self.store,
            ledger=self.ledger,
            model=model,
            settings=settings,
            fingerprint=fingerprint.digest,
            packed=None if packed is None else str(packed),
            storage=self.storage,
        )
        found = Counts.model_validate(ingest.facts["counts"])
        try:
            counts = build_features(job, found)
        finally:
            self.record.counts = tally(self.ledger.waves(), found)
        waves: Facts = {wave.wave: [file.checksum for file in wave.files] for wave in self.ledger.waves()}
        self._finish("features", {"counts": counts.model_dump(), "source_root": source.root}, digest_of(waves))

    def reduce(self, settings: ReduceSettings, essentials: Facts) -> None:
        """Fits and writes the components, and the exports that are asked for."""
        features = self._input("features")
        if self._begin("reduce", essentials, features) is not Verdict.DONE:
            self.ledger.clear("reduce")
            facts = build_reduced(self.spark, self.store, settings)
            self._finish("reduce", asdict(facts) | {"source_root": _source_root(features)})
        reduced = self.ledger.finished("reduce")
        for kind in settings.export:
            if self._begin(f"export_{kind}", {}, reduced) is not Verdict.DONE:
                self.ledger.clear(f"export_{kind}")
                self._finish(f"export_{kind}", {"rows": build_export(self.spark, self.store, kind)})
        self.record.rooms["reduce"] = reduced.facts

    def classify(self, settings: ClassifySettings, essentials: Facts) -> None:
        """Fits and judges the classifiers."""
        reduced = self._input("reduce")
        if self._begin("classify", essentials, reduced) is not Verdict.DONE:
            self.ledger.clear("classify")
            facts = build_classified(self.spark, self.store, settings, _source_root(reduced))
            self._finish("classify", facts)
        self.record.rooms["classify"] = self.ledger.finished("classify").facts

    def _input(self, room: str) -> RoomMarker:
        """The finished room that the next one reads; the features' counts go into the record."""
        features = self.ledger.finished("features")
        self.record.counts = Counts.model_validate(features.facts["counts"])
        return self.ledger.finished(room)

    def _begin(self, room: str, essentials: Facts, source: RoomMarker) -> Verdict:
        verdict = self.ledger.begin(room, Fingerprint(settings=essentials, input=source.result))
        if verdict is Verdict.DONE:
            log.info("keep room=%s because its settings and its input are the same", room)
        return verdict

    def _finish(self, room: str, facts: Facts, result: str = "") -> None:
        self.ledger.finish(room, facts, result)
        self.record.rooms[room] = facts


def _source_root(marker: RoomMarker) -> str:
    return str(marker.facts["source_root"])
