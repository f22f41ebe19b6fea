"""The order of the rooms for every command that runs on Spark: what each takes, gives, keeps and makes again."""

from pydantic import JsonValue

from fruits_pipeline import timeline
from fruits_pipeline.backbones.model import prepare
from fruits_pipeline.backbones.request import model_request
from fruits_pipeline.features.recipe import backbone_here, read_as, recipe_of
from fruits_pipeline.ingest.listing import AnySource, check_naming, place_of, source_at
from fruits_pipeline.ingest.packed import PackedSource
from fruits_pipeline.job import Job
from fruits_pipeline.reduce.facts import Reduced
from fruits_pipeline.refusals import check
from fruits_pipeline.report.verdict import refuse
from fruits_pipeline.score.drift import refuse_drift
from fruits_pipeline.session.faults import storage_faults
from fruits_pipeline.session.gateway import stoppable
from fruits_pipeline.session.spark import spark_session
from fruits_pipeline.session.usage import Usage
from fruits_pipeline.settings.commands import (
    ClassifyCommand,
    ExtractCommand,
    JobCommand,
    PackCommand,
    ReduceCommand,
    RunCommand,
    ScoreCommand,
    SourceCommand,
)
from fruits_pipeline.state.lease import leased
from fruits_pipeline.state.plan import load_plan, required_plan
from fruits_pipeline.state.record import RunRecord
from fruits_pipeline.state.rooms import Rooms
from fruits_pipeline.state.snapshot import load_snapshot
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.storage.source import refuse_overlap
from fruits_pipeline.storage.store import Store
from fruits_pipeline.timeline import around, step
from fruits_pipeline.trained.backbone import Backbone
from fruits_pipeline.trained.models import TrainedModels, load_models


def execute(name: str, command: JobCommand) -> dict[str, JsonValue]:
    """Runs the rooms of ``command`` in their order, and gives what ``run.json`` holds.

    Raises:
        FruitsError: One of its kinds, as each room says.
    """
    timeline.forget()
    timeline.note("start")
    record = RunRecord(name, command.flattened())
    store = open_store(command.output.output_uri, command.storage)
    source = _source(command)
    if source:
        refuse_overlap(place_of(source), store.root)
    load_plan(store)  # so that an output of another version is told as such before all else
    _features_at(command, store, Rooms(store, overwrite=command.output.overwrite))
    with around("lease", leased(store)) as lease, record.kept(store):
        rooms = Rooms(store, overwrite=command.output.overwrite)
        features_at = _features_at(command, store, rooms)
        models = _models(command)
        check(command, store, rooms, models)
        if source:
            source.check()
        schemes = _by_spark(command, store, source, features_at)
        fits = isinstance(command, RunCommand | ClassifyCommand)
        session = around("session", spark_session(command.session, command.storage, schemes, fits=fits))
        with session as spark, stoppable(spark.sparkContext) as stop, storage_faults(store.root):
            lease.on_loss(stop)
            record.begin(store)
            usage = Usage(spark)
            try:
                _run(command, Job(spark, store, features_at, rooms, record, command, models), source)
            finally:
                record.cluster = usage.so_far()
    return record.content


def _run(command: JobCommand, job: Job, source: AnySource | None) -> None:
    """The rooms of each command, in the order of the flow."""
    if isinstance(command, PackCommand) and source:
        job.pack(job.ingest(source, command.ingest), command.pack)
        return
    if isinstance(command, ExtractCommand) and source:
        plan = job.ingest(source, command.ingest)
        with step("features: model"):
            model = prepare(model_request(command.features))
        snapshot = job.features(plan, command.features, Backbone(model, recipe_of(command.features, model)))
    elif isinstance(command, ScoreCommand) and source and job.models:
        plan, backbone = job.ingest(source, command.ingest), job.models.backbone
        snapshot = job.features(plan, read_as(backbone.recipe, command.reading), backbone_here(backbone))
    else:
        snapshot = load_snapshot(job.features_at)
    job.record.counts = snapshot.counts
    reduction = job.reduce(snapshot, command.reduce) if isinstance(command, RunCommand | ReduceCommand) else None
    if isinstance(command, RunCommand | ClassifyCommand):
        job.examine(snapshot, command.examine)
        job.classify(snapshot, command.classify, command.examine, reduction)
        reported = job.report(command.report)
    scored = (
        job.score(snapshot, command.score, job.models) if isinstance(command, ScoreCommand) and job.models else None
    )
    job.record.tell_next(job.rooms, snapshot.digest)
    if isinstance(command, RunCommand | ClassifyCommand):
        refuse(reported.verdicts, command.report.fail_on)
    if scored and isinstance(command, ScoreCommand):
        refuse_drift(scored, command.score.max_drift)


def _source(command: JobCommand) -> AnySource | None:
    if isinstance(command, SourceCommand):
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
    elif source and _reader(command) == "binaryfile":
        addresses.append(source.root)
    if isinstance(command, ScoreCommand):
        addresses.append(uri.normalise(command.score.model))
    return frozenset(map(uri.scheme, addresses))


def _reader(command: JobCommand) -> str | None:
    if isinstance(command, ScoreCommand):
        return command.reading.reader
    return command.features.reader if isinstance(command, ExtractCommand) else None


def _models(command: JobCommand) -> TrainedModels | None:
    """The models that ``score`` uses, whole to the last byte."""
    if not isinstance(command, ScoreCommand):
        return None
    return load_models(open_store(command.score.model, command.storage), command.score.classifier)
