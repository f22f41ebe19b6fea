"""Which rooms' settings each command takes, as one nested model for each command."""

from typing import Annotated, Any

from cyclopts import Parameter
from pydantic import JsonValue

from fruits_pipeline.settings.bundle import BundleSettings
from fruits_pipeline.settings.calibrate import CalibrateSettings
from fruits_pipeline.settings.classify import ClassifySettings
from fruits_pipeline.settings.dataproc import DataprocSettings
from fruits_pipeline.settings.dataproc_serverless import DataprocServerlessSettings
from fruits_pipeline.settings.demo import DemoSettings
from fruits_pipeline.settings.emr import EmrSettings
from fruits_pipeline.settings.emr_serverless import EmrServerlessSettings
from fruits_pipeline.settings.examine import ExamineSettings
from fruits_pipeline.settings.export import ExportSettings
from fruits_pipeline.settings.features import (
    BackboneSettings,
    FeaturesSettings,
    NetworkSettings,
    ReadingSettings,
    WeightsSettings,
)
from fruits_pipeline.settings.ingest import IngestSettings
from fruits_pipeline.settings.output import OutputPlaceSettings, OutputSettings
from fruits_pipeline.settings.pack import PackSettings
from fruits_pipeline.settings.predict import PredictSettings
from fruits_pipeline.settings.reduce import FeaturesFromSettings, ReduceSettings
from fruits_pipeline.settings.report import PageSettings, ReportSettings
from fruits_pipeline.settings.room import Room, flat
from fruits_pipeline.settings.score import ScoreSettings, SubmittedScoreSettings
from fruits_pipeline.settings.session import SessionSettings
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.settings.submit import SubmitSettings
from fruits_pipeline.settings.verify import VerifySettings


class Command(Room):
    """What every command takes."""

    session: Annotated[SessionSettings, flat("Session")] = SessionSettings()

    def flattened(self) -> dict[str, JsonValue]:
        """All settings under their flat names, as JSON values."""
        rooms: dict[str, Any] = self.model_dump(mode="json")
        return {name: value for room in rooms.values() for name, value in room.items()}


class JobCommand(Command):
    """What every command on an output takes."""

    output: Annotated[OutputSettings, flat("Output")]
    storage: Annotated[StorageSettings, flat("Storage")] = StorageSettings()


@Parameter(name="*")
class ExtractCommand(JobCommand):
    """Settings of ``extract``."""

    ingest: Annotated[IngestSettings, flat("Input")]
    features: Annotated[FeaturesSettings, flat("Features")] = FeaturesSettings()


@Parameter(name="*")
class PackCommand(JobCommand):
    """Settings of ``pack``."""

    ingest: Annotated[IngestSettings, flat("Input")]
    pack: Annotated[PackSettings, flat("Pack")] = PackSettings()


@Parameter(name="*")
class ReduceCommand(JobCommand):
    """Settings of ``reduce``."""

    features_from: Annotated[FeaturesFromSettings, flat("Reduce")] = FeaturesFromSettings()
    reduce: Annotated[ReduceSettings, flat("Reduce")] = ReduceSettings()


@Parameter(name="*")
class ClassifyCommand(JobCommand):
    """Settings of ``classify``."""

    examine: Annotated[ExamineSettings, flat("Examine")] = ExamineSettings()
    classify: Annotated[ClassifySettings, flat("Classify")] = ClassifySettings()
    report: Annotated[ReportSettings, flat("Report")] = ReportSettings()


@Parameter(name="*")
class RunCommand(ExtractCommand):
    """Settings of ``run``."""

    reduce: Annotated[ReduceSettings, flat("Reduce")] = ReduceSettings()
    examine: Annotated[ExamineSettings, flat("Examine")] = ExamineSettings()
    classify: Annotated[ClassifySettings, flat("Classify")] = ClassifySettings()
    report: Annotated[ReportSettings, flat("Report")] = ReportSettings()


@Parameter(name="*")
class ReportCommand(Command):
    """Settings of ``report``, which reads an output and writes its page; no Spark."""

    output: Annotated[OutputPlaceSettings, flat("Output")]
    report: Annotated[ReportSettings, flat("Report")] = ReportSettings()
    page: Annotated[PageSettings, flat("Report")] = PageSettings()
    storage: Annotated[StorageSettings, flat("Storage")] = StorageSettings()


@Parameter(name="*")
class WeightsCommand(Command):
    """Settings of ``weights``."""

    backbone: Annotated[BackboneSettings, flat("Features")] = BackboneSettings()


@Parameter(name="*")
class CalibrateCommand(Command):
    """Settings of ``calibrate``."""

    calibrate: Annotated[CalibrateSettings, flat("Input")]
    network: Annotated[NetworkSettings, flat("Features")] = NetworkSettings()
    storage: Annotated[StorageSettings, flat("Storage")] = StorageSettings()


@Parameter(name="*")
class ScoreCommand(JobCommand):
    """Settings of ``score``: images are treated as those were that the models were trained on."""

    ingest: Annotated[IngestSettings, flat("Input")]
    reading: Annotated[ReadingSettings, flat("Features")] = ReadingSettings()
    score: Annotated[ScoreSettings, flat("Predict")]


# Commands that list images.
SourceCommand = ExtractCommand | PackCommand | ScoreCommand


@Parameter(name="*")
class PredictCommand(Command):
    """Settings of ``predict``, which reads an output's models and writes nothing."""

    predict: Annotated[PredictSettings, flat("Predict")]
    storage: Annotated[StorageSettings, flat("Storage")] = StorageSettings()


@Parameter(name="*")
class ExportCommand(Command):
    """Settings of ``export``, which reads an output and writes elsewhere."""

    output: Annotated[OutputPlaceSettings, flat("Output")]
    weights: Annotated[WeightsSettings, flat("Features")] = WeightsSettings()
    export: Annotated[ExportSettings, flat("Export")]
    storage: Annotated[StorageSettings, flat("Storage")] = StorageSettings()


@Parameter(name="*")
class VerifyCommand(Command):
    """Settings of ``verify``, which reads an output and writes nothing."""

    output: Annotated[OutputPlaceSettings, flat("Output")]
    verify: Annotated[VerifySettings, flat("Verify")] = VerifySettings()
    storage: Annotated[StorageSettings, flat("Storage")] = StorageSettings()


@Parameter(name="*")
class DemoCommand(JobCommand):
    """Settings of ``demo``: the sample is drawn beside the output, so there is no source to name."""

    output: Annotated[OutputSettings, flat("Output")] = OutputSettings(output_uri="fruits-demo")
    demo: Annotated[DemoSettings, flat("Input")] = DemoSettings()
    features: Annotated[FeaturesSettings, flat("Features")] = FeaturesSettings()
    reduce: Annotated[ReduceSettings, flat("Reduce")] = ReduceSettings()
    examine: Annotated[ExamineSettings, flat("Examine")] = ExamineSettings()
    classify: Annotated[ClassifySettings, flat("Classify")] = ClassifySettings()
    report: Annotated[ReportSettings, flat("Report")] = ReportSettings()


@Parameter(name="*")
class BundleCommand(Command):
    """Settings of ``bundle``."""

    bundle: Annotated[BundleSettings, flat("Bundle")]
    network: Annotated[NetworkSettings, flat("Features")] = NetworkSettings()
    storage: Annotated[StorageSettings, flat("Storage")] = StorageSettings()


class SubmitCommand(RunCommand):
    """Settings of every ``submit``: those of the job, and how it is sent."""

    submit: Annotated[SubmitSettings, flat("Submit")] = SubmitSettings()
    score: Annotated[SubmittedScoreSettings, flat("Predict")] = SubmittedScoreSettings()


@Parameter(name="*")
class SubmitEmrCommand(SubmitCommand):
    """Settings of ``submit emr``."""

    emr: Annotated[EmrSettings, flat("EMR")] = EmrSettings()


@Parameter(name="*")
class SubmitEmrServerlessCommand(SubmitCommand):
    """Settings of ``submit emr-serverless``."""

    emr_serverless: Annotated[EmrServerlessSettings, flat("EMR Serverless")] = EmrServerlessSettings()


@Parameter(name="*")
class SubmitDataprocCommand(SubmitCommand):
    """Settings of ``submit dataproc``."""

    dataproc: Annotated[DataprocSettings, flat("Dataproc")] = DataprocSettings()


@Parameter(name="*")
class SubmitDataprocServerlessCommand(SubmitCommand):
    """Settings of ``submit dataproc-serverless``."""

    dataproc_serverless: Annotated[DataprocServerlessSettings, flat("Dataproc Serverless")] = (
        DataprocServerlessSettings()
    )


# By the name of the command, in the order of the work.
ALL: dict[str, type[Command]] = {
    "demo": DemoCommand,
    "run": RunCommand,
    "extract": ExtractCommand,
    "reduce": ReduceCommand,
    "classify": ClassifyCommand,
    "report": ReportCommand,
    "predict": PredictCommand,
    "score": ScoreCommand,
    "export": ExportCommand,
    "verify": VerifyCommand,
    "pack": PackCommand,
    "weights": WeightsCommand,
    "calibrate": CalibrateCommand,
    "bundle": BundleCommand,
    "submit emr": SubmitEmrCommand,
    "submit emr-serverless": SubmitEmrServerlessCommand,
    "submit dataproc": SubmitDataprocCommand,
    "submit dataproc-serverless": SubmitDataprocServerlessCommand,
}
