"""Commands to rooms, errors to exit codes; the only place that catches everything."""

import logging
import sys
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated

from cyclopts import App, Parameter

from fruits_pipeline import errors, logs
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.session import interrupt
from fruits_pipeline.session.submitted import stderr
from fruits_pipeline.settings import command_line, commands
from fruits_pipeline.settings.room import Room, flat
from fruits_pipeline.state.summary import summary
from fruits_pipeline.submit.platform import Platform
from fruits_pipeline.submit.spark_properties import Cloud

log = logging.getLogger(__name__)

app = App(
    name="fruits-pipeline",
    help="Classify photographs by one Spark job: features of a pretrained network, principal components, classifiers.",
    help_format="plaintext",
)
submit = App(
    name="submit", help="Run the job on a cluster of EMR or Dataproc, from what `bundle` made.", help_format="plaintext"
)
app.command(submit)


@app.command
def run(*, settings: commands.RunCommand) -> None:
    """Extract, reduce and classify: the main job, from images to tested classifiers."""
    _execute("run", settings)


@app.command
def extract(*, settings: commands.ExtractCommand) -> None:
    """List the images, and compute their features by a pretrained network."""
    _execute("extract", settings)


@app.command
def pack(*, settings: commands.PackCommand) -> None:
    """Copy the images of --data-source into Parquet files under --output-uri, which later runs read faster."""
    _execute("pack", settings)


@app.command
def reduce(*, settings: commands.ReduceCommand) -> None:
    """Reduce the features under --output-uri to principal components."""
    _execute("reduce", settings)


@app.command
def classify(*, settings: commands.ClassifyCommand) -> None:
    """Train and test classifiers on the principal components under --output-uri."""
    _execute("classify", settings)


@app.command
def report(*, settings: commands.ReportCommand) -> None:
    """Write report.html, the page of a finished run, from what stands under --output-uri; no Spark, no Java."""
    from fruits_pipeline.report.report_command import report_output

    written = report_output(settings)
    print(written.text)
    written.refuse(settings.report.fail_on)


@app.command
def score(*, settings: commands.ScoreCommand) -> None:
    """Predict many new images on Spark by the models of a finished run, and score those that have a label."""
    _execute("score", settings)


@app.command
def predict(
    *photos: Annotated[str, Parameter(allow_leading_hyphen=True, group=flat("Predict").group)],
    settings: commands.PredictCommand,
) -> None:
    """Tell what PHOTOS show by the models of a finished run; needs no Spark.

    Parameters
    ----------
    photos
        Files, folders, globs, and addresses in buckets; - reads their names from standard input.
    """
    from fruits_pipeline.predict.predict_photos import predict_photos

    predict_photos(photos, settings)


@app.command
def export(*, settings: commands.ExportCommand) -> None:
    """Write the model of a finished run as one file for an app, from pixels to labels, with all that an app needs."""
    from fruits_pipeline.export.export_model import export_model

    print(export_model(settings))


@app.command
def weights(*, settings: commands.WeightsCommand = commands.WeightsCommand()) -> None:
    """Download, check and convert the pretrained weights; later commands then need no network for them."""
    from fruits_pipeline.backbones.model import prepare
    from fruits_pipeline.backbones.request import model_request

    print(prepare(model_request(settings.backbone)).summary)


@app.command
def calibrate(*, settings: commands.CalibrateCommand) -> None:
    """Make the int8 form of the network from a sample of your images, for --precision int8."""
    from fruits_pipeline.calibrate.calibration import calibrate_model

    print(calibrate_model(settings).summary)


@app.command
def verify(*, settings: commands.VerifyCommand) -> None:
    """Check that the output under --output-uri is complete and undamaged; nothing is written."""
    from fruits_pipeline.verify.verify_output import verify_output

    verdict = verify_output(settings)
    print(verdict.text)
    verdict.refuse_faults()


@app.command
def demo(*, settings: commands.DemoCommand = commands.DemoCommand()) -> None:
    """Draw a small set of fruit-like images, and run the main job on it."""
    from fruits_pipeline.demo.demo import run_demo

    print(summary(run_demo(settings), settings.output.output_uri))


@app.command
def bundle(*, settings: commands.BundleCommand) -> None:
    """Put all that a cluster needs to run the job into one folder: environment, models, scripts, configuration."""
    from fruits_pipeline.bundle.assemble import assemble_bundle

    print(assemble_bundle(settings))


@submit.command
def emr(*, settings: commands.SubmitEmrCommand) -> None:
    """Run the job on EMR: on a cluster that is made for it and ends with it, or on --cluster-id."""
    from fruits_pipeline.submit.emr import Emr

    _submit(partial(Emr, profile=settings.storage.s3_profile), "emr", settings, settings.emr)


@submit.command
def emr_serverless(*, settings: commands.SubmitEmrServerlessCommand) -> None:
    """Run the job on EMR Serverless."""
    from fruits_pipeline.submit.emr_serverless import EmrServerless

    _submit(partial(EmrServerless, profile=settings.storage.s3_profile), "emr", settings, settings.emr_serverless)


@submit.command
def dataproc(*, settings: commands.SubmitDataprocCommand) -> None:
    """Run the job on Dataproc: on a cluster that is made for it and ends with it, or on --cluster."""
    from fruits_pipeline.submit.dataproc import Dataproc

    _submit(Dataproc, "dataproc", settings, settings.dataproc)


@submit.command
def dataproc_serverless(*, settings: commands.SubmitDataprocServerlessCommand) -> None:
    """Run the job on Dataproc Serverless."""
    from fruits_pipeline.submit.dataproc_serverless import DataprocServerless

    _submit(DataprocServerless, "dataproc-serverless", settings, settings.dataproc_serverless)


command_line.in_order(app)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command line and gives its exit code; the last line on stderr says what to do.

    After Ctrl-C or SIGTERM it does not return: the process ends. Only ``submit`` handles them itself.
    """
    with interrupt.interruptible():
        try:
            _parsed(list(sys.argv[1:] if argv is None else argv))()
        except FruitsError as error:
            print(f"error: {error}", file=stderr())
            return error.exit_code
        except KeyboardInterrupt:
            print(interrupt.LINE, file=stderr())
            return errors.INTERRUPTED
        except Exception as error:  # noqa: BLE001 because this is the one place that turns a bug into exit code 70
            return _unforeseen(error)
        return errors.SUCCESS


def _parsed(tokens: list[str]) -> Callable[[], object]:
    """The command that ``tokens`` ask for, ready to be called.

    Raises:
        SettingsError: With every fault of the command line, the environment and the settings file.
    """
    call, bound = command_line.parsed(app, tokens)
    settings = next((value for value in bound.kwargs.values() if isinstance(value, commands.Command)), None)
    if settings is not None:
        logs.configure(settings.session.log_level, stderr())
    return partial(call, *bound.args, **bound.kwargs)


def _execute(name: str, settings: commands.JobCommand) -> None:
    from fruits_pipeline.pipeline import execute

    print(summary(execute(name, settings), settings.output.output_uri))


def _submit(platform: Callable[..., Platform], cloud: Cloud, settings: commands.SubmitCommand, own: Room) -> None:
    """Submits to ``platform``, whose own settings are ``own``."""
    from fruits_pipeline.submit.command import submitted_command
    from fruits_pipeline.submit.job import submitted_job
    from fruits_pipeline.submit.submission import estimate_and_submit

    command = submitted_command(settings)
    job = submitted_job(cloud, command, settings.submit)
    with interrupt.signals_raise():
        record = estimate_and_submit(lambda sent: platform(sent, own), job, settings.submit, command)
    if record is not None:
        print(summary(record, job.output_uri))


def _unforeseen(error: Exception) -> int:
    """Tells of an error that no room foresaw: a failure of Spark or storage in one line, a bug with its trace."""
    code = errors.exit_code(error)
    if code == errors.BUG:
        traceback.print_exception(error, file=stderr())
        print(
            f"error: a bug in fruits-pipeline ({type(error).__name__}); report it with the lines above",
            file=stderr(),
        )
    else:
        print(
            f"error: {type(error).__name__}: {errors.root_cause(error)}; start the same command again: it resumes",
            file=stderr(),
        )
    return code
