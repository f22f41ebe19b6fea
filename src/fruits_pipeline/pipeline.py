"""The order of the rooms for every command that runs on Spark: what each takes, gives, keeps and makes again."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import JsonValue
from pyspark.sql import SparkSession

from fruits_pipeline import schemas, timeline
from fruits_pipeline.backbones.model import prepare
from fruits_pipeline.backbones.request import model_request
from fruits_pipeline.classify.facts import Classified
from fruits_pipeline.features.compute_features import compute_features, tally
from fruits_pipeline.features.job import FeatureJob
from fruits_pipeline.features.recipe import recipe_of
from fruits_pipeline.ingest.cut import default_wave_images
from fruits_pipeline.ingest.listing import AnySource, check_naming, place_of, source_at
from fruits_pipeline.ingest.packed import PackedSource
from fruits_pipeline.ingest.plan_waves import Cut, plan_waves
from fruits_pipeline.reduce.export import Exported, export_reduced
from fruits_pipeline.reduce.facts import Reduced
from fruits_pipeline.reduce.labels import digest_of_labels
from fruits_pipeline.refusals import (
    check,
    check_calibration,
    check_components,
    ingest_essentials,
    labels_of,
    reduce_essentials,
)
from fruits_pipeline.session import tables
from fruits_pipeline.session.gateway import stoppable
from fruits_pipeline.session.spark import cores, is_local, spark_session
from fruits_pipeline.settings.classify import ClassifySettings
from fruits_pipeline.settings.commands import (
    ClassifyCommand,
    ExtractCommand,
    JobCommand,
    PackCommand,
    ReduceCommand,
    RunCommand,
)
from fruits_pipeline.settings.features import FeaturesSettings
from fruits_pipeline.settings.ingest import IngestSettings
from fruits_pipeline.settings.pack import PackSettings
from fruits_pipeline.settings.reduce import ReduceSettings
from fruits_pipeline.state.layout import EXPORT_ROOMS
from fruits_pipeline.state.lease import leased
from fruits_pipeline.state.packs import packed_files
from fruits_pipeline.state.plan import Plan, load_plan, required_plan, save_plan
from fruits_pipeline.state.record import RunRecord
from fruits_pipeline.state.rooms import RoomMarker, Rooms
from fruits_pipeline.state.snapshot import Snapshot, is_finished, load_snapshot, load_waves
from fruits_pipeline.state.upkeep import drop_manifests, tidied
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.storage.source import refuse_overlap
from fruits_pipeline.storage.store import Store
from fruits_pipeline.timeline import around, step

if TYPE_CHECKING:
    from pyspark.ml import PipelineModel

log = logging.getLogger(__name__)


def execute(name: str, command: JobCommand) -> dict[str, JsonValue]:
    """Runs the rooms of ``command`` in their order, and gives what ``run.json`` holds.

    Raises:
        FruitsError: One of its kinds, as each room says.
    """
    timeline.forget()
    timeline.note("start")
    store = open_store(command.output.output_uri, command.storage)
    source = _source(command)
    if source:
        refuse_overlap(place_of(source), store.root)
    load_plan(store)  # so that an output of another version is told as such before all else
    _features_at(command, store, Rooms(store, overwrite=command.output.overwrite))
    record = RunRecord(name, command.flattened())
    with around("lease", leased(store)) as lease, record.kept(store):
        rooms = Rooms(store, overwrite=command.output.overwrite)
        features_at = _features_at(command, store, rooms)
        check(command, store, rooms)
        if source:
            source.check()
        schemes = _by_spark(command, store, source, features_at)
        fits = isinstance(command, RunCommand | ClassifyCommand)
        session = around("session", spark_session(command.session, command.storage, schemes, fits=fits))
        with session as spark, stoppable(spark.sparkContext) as stop:
            lease.on_loss(stop)
            _run(command, _Job(spark, store, rooms, record, command), source, features_at)
    return record.content


def _run(command: JobCommand, job: "_Job", source: AnySource | None, features_at: Store) -> None:
    """The rooms of each command, in the order of the flow."""
    if isinstance(command, PackCommand) and source:
        job.pack(job.ingest(source, command.ingest), command.pack)
        return
    if isinstance(command, ExtractCommand) and source:
        snapshot = job.features(job.ingest(source, command.ingest), command.features)
    else:
        snapshot = load_snapshot(features_at)
    job.record.counts = snapshot.counts
    reduction = job.reduce(snapshot, command.reduce) if isinstance(command, RunCommand | ReduceCommand) else None
    if isinstance(command, RunCommand | ClassifyCommand):
        job.classify(snapshot, command.classify, reduction)
    job.record.tell_next(job.rooms, snapshot.digest)


def _source(command: JobCommand) -> AnySource | None:
    if isinstance(command, ExtractCommand | PackCommand):
        source = source_at(command.ingest.data_source, command.storage)
        check_naming(source, command.ingest)
        return source
    return None


def _features_at(command: JobCommand, store: Store, rooms: Rooms) -> Store:
    """The store whose features are reduced, or were.

    Raises:
        DatasetError: When there are none; of an address that was misspelt nothing is then written.
    """
    if isinstance(command, ReduceCommand):
        other = command.features_from.features_uri
        found = open_store(other, command.storage) if other else store
        required_plan(found)
        return found
    if isinstance(command, ClassifyCommand):
        other = rooms.finished("reduce", Reduced).facts_or_fail.features
        return open_store(other, command.storage) if other else store
    return store


def _by_spark(command: JobCommand, store: Store, source: AnySource | None, features_at: Store) -> frozenset[str]:
    """Schemes that Spark itself reads and writes; images in buckets are fetched by the workers, unless asked."""
    addresses = [store.root, features_at.root]
    if isinstance(source, PackedSource):
        addresses.append(source.address)
    elif source and isinstance(command, ExtractCommand) and command.features.reader == "binaryfile":
        addresses.append(source.root)
    return frozenset(map(uri.scheme, addresses))


@dataclass(frozen=True)
class _Job:
    """One command at work on one output; each method is one room of the flow."""

    spark: SparkSession
    store: Store
    rooms: Rooms
    record: RunRecord
    command: JobCommand

    def ingest(self, source: AnySource, settings: IngestSettings) -> Plan:
        """Lists the source, always, and plans the waves of the output."""
        with self.record.timed("ingest"):
            essentials = ingest_essentials(settings)
            standing = tidied(self.store, essentials)
            images = settings.wave_images or default_wave_images(cores(self.spark), local=is_local(self.spark))
            before = standing.plan.model_copy(update={"settings": essentials, "refused": None})
            cut = Cut(images, frozenset(standing.waves), nearly=settings.wave_images is None)
            plan = plan_waves(source, self.store, settings, before, cut)
            if plan.waves == before.waves and not all(is_finished(w, standing.waves) for w in plan.waves):
                plan = plan.model_copy(update={"change": before.change})
            save_plan(self.store, plan)
            drop_manifests(self.store, before, plan, standing.waves)
        self.record.counts = plan.counts
        self.record.rooms["ingest"] = plan.facts
        return plan

    def pack(self, plan: Plan, settings: PackSettings) -> None:
        """Rewrites the waves of the plan that are not yet packed."""
        from fruits_pipeline.pack.write_pack import write_pack

        with self.record.timed("pack"):
            packed = write_pack(self.spark, self.store, plan, settings, self.command.storage)
        self.record.counts = packed.counted(plan.counts)
        self.record.rooms["pack"] = packed

    def features(self, plan: Plan, settings: FeaturesSettings) -> Snapshot:
        """Takes over or computes the waves that are not finished."""
        with self.record.timed("features"):
            with step("features: model"):
                model = prepare(model_request(settings))
            recipe = recipe_of(settings, model)
            storage = self.command.storage
            job = FeatureJob(
                spark=self.spark,
                source=open_store(plan.source_root, storage),
                store=self.store,
                model=model,
                recipe=recipe,
                settings=settings,
                overwrite=self.command.output.overwrite,
                packed=None if plan.packed is None else packed_files(open_store(plan.packed, storage)),
                storage=storage,
            )
            try:
                snapshot, change = compute_features(job, plan)
            finally:
                self.record.counts = tally(plan, load_waves(self.store).values())
            known = {"relabelled": plan.change.relabelled, "gone": plan.change.gone}
            self.record.change = change.model_copy(update=known)
            log.info("features %s", " ".join(f"{what}={n}" for what, n in self.record.change.model_dump().items()))
        self.record.rooms["features"] = plan.facts.model_copy(update={"counts": snapshot.counts})
        return snapshot

    def reduce(self, snapshot: Snapshot, settings: ReduceSettings) -> "PipelineModel | None":
        """Fits and writes the components, and the exports that are asked for; gives the model where it is fitted."""
        model = None
        recipe = snapshot.waves[0].recipe.settings
        check_components(settings, str(recipe["backbone"]))
        check_calibration(settings, str(recipe["precision"]))
        with self.record.timed("reduce"):
            essentials = reduce_essentials(settings, self.command, self.store)
            labels = labels_of(settings, self.command)
            digest = digest_of_labels(labels) if labels else None
            done = self.rooms.begin("reduce", essentials, snapshot.digest, Reduced, digest)
            if done is None:
                from fruits_pipeline.reduce.reduce_features import reduce_features

                facts, model = reduce_features(self.spark, self.store, snapshot, settings, labels)
                done = self.rooms.finish("reduce", facts)
            for kind in settings.export:
                room = EXPORT_ROOMS[kind]
                if self.rooms.begin(room, {}, done.digest, Exported) is None:
                    files, rows = done.of(self.store.root, "reduced"), done.facts_or_fail.rows
                    self.rooms.finish(room, export_reduced(self.spark, self.store, files, rows, kind))
        self.record.rooms["reduce"] = done.facts_or_fail
        return model

    def classify(self, snapshot: Snapshot, settings: ClassifySettings, reduction: "PipelineModel | None") -> None:
        """Fits and judges the classifiers on components of ``reduction``, which is loaded where there is none."""
        with self.record.timed("classify"):
            reduced: RoomMarker[Reduced] = self.rooms.finished("reduce", Reduced, snapshot.digest)
            done = self.rooms.begin("classify", settings.essentials(), reduced.digest, Classified)
            if done is None:
                files, rows = reduced.of(self.store.root, "reduced"), reduced.facts_or_fail.rows
                from fruits_pipeline.classify.fit_classifiers import fit_classifiers

                components = tables.read_whole(self.spark, files, rows, schemas.REDUCED, "reduced")
                facts = fit_classifiers(self.store, components, rows, settings, reduction)
                done = self.rooms.finish("classify", facts)
        self.record.rooms["classify"] = done.facts_or_fail
