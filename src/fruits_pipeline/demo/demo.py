"""The command ``demo``: draws a sample of images and runs the main job on it."""

import logging
import shutil
import time
from pathlib import Path

from pydantic import JsonValue

from fruits_pipeline.demo.draw import draw_sample
from fruits_pipeline.pipeline import execute
from fruits_pipeline.settings.commands import DemoCommand, RunCommand
from fruits_pipeline.settings.demo import DemoSettings
from fruits_pipeline.settings.ingest import IngestSettings
from fruits_pipeline.storage import uri

log = logging.getLogger(__name__)


def run_demo(command: DemoCommand) -> dict[str, JsonValue]:
    """Draws the sample beside the output, runs the main job on it, and gives what ``run.json`` holds.

    Raises:
        FruitsError: As ``pipeline.execute`` says.
    """
    images = sample_folder(Path(uri.local_path(uri.normalise(command.output.output_uri))), command.demo)
    settings = RunCommand(
        session=command.session,
        output=command.output,
        ingest=IngestSettings(data_source=str(images)),
        features=command.features,
        reduce=command.reduce,
        examine=command.examine,
        classify=command.classify,
        report=command.report,
    )
    return execute("demo", settings)


def sample_folder(output: Path, settings: DemoSettings) -> Path:
    """The folder of the sample beside ``output``, drawn where it is missing and renamed into place when complete."""
    name = f"{settings.images_per_label}-per-label-seed-{settings.drawing_seed}"
    folder = output.with_name(f"{output.name}-images") / name
    if not folder.is_dir():
        started_s = time.monotonic()
        unfinished = folder.with_name(f".{name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        count = draw_sample(unfinished, settings.images_per_label, settings.drawing_seed)
        unfinished.rename(folder)
        log.info("drawn images=%d folder=%s seconds=%.1f", count, folder, time.monotonic() - started_s)
    return folder
