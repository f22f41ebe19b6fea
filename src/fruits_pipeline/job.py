"""One command at work on one output: each room of the flow, kept or made again."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame, SparkSession

from fruits_pipeline import schemas
from fruits_pipeline.classify.facts import Classified
from fruits_pipeline.examine.facts import Examined
from fruits_pipeline.features.compute_features import compute_features, tally
from fruits_pipeline.features.job import FeatureJob
from fruits_pipeline.ingest.cut import default_wave_images
from fruits_pipeline.ingest.listing import AnySource
from fruits_pipeline.ingest.plan_waves import Cut, plan_waves
from fruits_pipeline.reduce.export import Exported, export_reduced
from fruits_pipeline.reduce.facts import Reduced
from fruits_pipeline.reduce.labels import check_labels, digest_of_labels
from fruits_pipeline.refusals import (
    check_backbone,
    check_calibration,
    check_components,
    classify_essentials,
    examine_essentials,
    ingest_essentials,
    labels_of,
    reduce_essentials,
    score_essentials,
)
from fruits_pipeline.report.facts import Reported
from fruits_pipeline.score.facts import Scored
from fruits_pipeline.session import tables
from fruits_pipeline.session.spark import cores, is_local
from fruits_pipeline.session.worker_requests import count_reported
from fruits_pipeline.settings.classify import ClassifySettings
from fruits_pipeline.settings.commands import (
    JobCommand,
)
from fruits_pipeline.settings.examine import ExamineSettings
from fruits_pipeline.settings.features import FeaturesSettings
from fruits_pipeline.settings.ingest import IngestSettings
from fruits_pipeline.settings.pack import PackSettings
from fruits_pipeline.settings.reduce import ReduceSettings
from fruits_pipeline.settings.report import ReportSettings
from fruits_pipeline.settings.score import ScoreSettings
from fruits_pipeline.state.layout import EXPORT_ROOMS, REPORT
from fruits_pipeline.state.packs import packed_files
from fruits_pipeline.state.plan import Plan, save_plan
from fruits_pipeline.state.record import RunRecord
from fruits_pipeline.state.room_marker import RoomMarker
from fruits_pipeline.state.rooms import Rooms
from fruits_pipeline.state.snapshot import Snapshot, is_finished, load_waves
from fruits_pipeline.state.upkeep import drop_manifests, tidied
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.storage.store import Store
from fruits_pipeline.trained.backbone import Backbone, kept_backbone
from fruits_pipeline.trained.models import TrainedModels

if TYPE_CHECKING:
    from pyspark.ml import PipelineModel

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """One command at work on one output; each method is one room of the flow."""

    spark: SparkSession
    store: Store
    features_at: Store
    rooms: Rooms
    record: RunRecord
    command: JobCommand
    models: TrainedModels | None = None

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

    def features(self, plan: Plan, settings: FeaturesSettings, backbone: Backbone) -> Snapshot:
        """Takes over or computes the waves that are not finished."""
        with self.record.timed("features"):
            storage = self.command.storage
            job = FeatureJob(
                spark=self.spark,
                source=open_store(plan.source_root, storage),
                store=self.store,
                model=backbone.model,
                recipe=backbone.recipe,
                settings=settings,
                overwrite=self.command.output.overwrite,
                packed=None if plan.packed is None else packed_files(open_store(plan.packed, storage)),
                storage=storage,
            )
            try:
                snapshot, change = compute_features(job, plan)
            finally:
                count_reported(job.requests)
                self.record.counts = tally(plan, load_waves(self.store).values())
            known = {"relabelled": plan.change.relabelled, "gone": plan.change.gone}
            self.record.change = change.model_copy(update=known)
            log.info("features %s", self.record.change.told)
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
            backbone = kept_backbone(self.features_at, snapshot.waves[0].recipe)
            digest = digest_of_labels(labels) if labels else None
            if labels:
                check_labels(self.spark, snapshot, labels)
            done = self.rooms.begin("reduce", essentials, snapshot.digest, Reduced, digest)
            if done is None:
                from fruits_pipeline.reduce.reduce_features import reduce_features

                facts, model = reduce_features(self.spark, self.store, snapshot, settings, labels, backbone)
                done = self.rooms.finish("reduce", facts)
            for kind in settings.export:
                room = EXPORT_ROOMS[kind]
                if self.rooms.begin(room, {}, done.digest, Exported) is None:
                    files, rows = done.of(self.store.root, "reduced"), done.facts_or_fail.rows
                    self.rooms.finish(room, export_reduced(self.spark, self.store, files, rows, kind))
        self.record.rooms["reduce"] = done.facts_or_fail
        return model

    def examine(self, snapshot: Snapshot, settings: ExamineSettings) -> None:
        """Looks at the images themselves."""
        with self.record.timed("examine"):
            reduced: RoomMarker[Reduced] = self.rooms.finished("reduce", Reduced, snapshot.digest)
            done = self.rooms.begin("examine", examine_essentials(settings), reduced.digest, Examined)
            if done is None:
                from fruits_pipeline.examine.examine_images import examine_images

                components, rows = self._reduced(reduced)
                done = self.rooms.finish("examine", examine_images(self.store, components, rows, snapshot, settings))
        self.record.rooms["examine"] = done.facts_or_fail

    def classify(
        self,
        snapshot: Snapshot,
        settings: ClassifySettings,
        twins: ExamineSettings,
        reduction: "PipelineModel | None",
    ) -> None:
        """Fits and judges the classifiers on components of ``reduction``, which is loaded where there is none."""
        with self.record.timed("classify"):
            reduced: RoomMarker[Reduced] = self.rooms.finished("reduce", Reduced, snapshot.digest)
            done = self.rooms.begin("classify", classify_essentials(settings, twins), reduced.digest, Classified)
            if done is None:
                from fruits_pipeline.classify.fit_classifiers import fit_classifiers

                components, rows = self._reduced(reduced)
                facts = fit_classifiers(self.store, components, rows, settings, twins, reduction)
                done = self.rooms.finish("classify", facts)
        self.record.rooms["classify"] = done.facts_or_fail

    def report(self, settings: ReportSettings) -> Reported:
        """Writes the page, unless that of these results stands there."""
        with self.record.timed("report"):
            from fruits_pipeline.report.browser import open_page
            from fruits_pipeline.report.write_report import keep_report

            done = keep_report(self.store, self.record.content, settings, self.command.storage)
        if "report" in self.rooms.removed:
            self.rooms.removed.remove("report")
        if settings.open:
            open_page(uri.join(self.store.root, REPORT))
        self.record.rooms["report"] = done
        self.record.verdicts = [verdict.model_dump(mode="json") for verdict in done.verdicts]
        return done

    def score(self, snapshot: Snapshot, settings: ScoreSettings, models: TrainedModels) -> Scored:
        """Writes and judges what trained models say of the images."""
        check_backbone(snapshot.waves, models)
        with self.record.timed("score"):
            done = self.rooms.begin("score", score_essentials(settings, models), snapshot.digest, Scored)
            if done is None:
                from fruits_pipeline.score.score_images import score_images

                models_at = open_store(settings.model, self.command.storage)
                facts = score_images(self.spark, self.store, snapshot, models, models_at)
                done = self.rooms.finish("score", facts)
        self.record.rooms["score"] = done.facts_or_fail
        return done.facts_or_fail

    def _reduced(self, marker: RoomMarker[Reduced]) -> tuple[DataFrame, int]:
        """All rows of ``reduced``, and how many they are."""
        files, rows = marker.of(self.store.root, "reduced"), marker.facts_or_fail.rows
        return tables.read_whole(self.spark, files, rows, schemas.REDUCED, "reduced"), rows
