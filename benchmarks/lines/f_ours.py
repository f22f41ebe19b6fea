"""(f) Ours: the command ``extract`` itself (listing, manifest, waves, features, markers), in one session."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from fruits_pipeline import pipeline
from fruits_pipeline.backbones.model import ModelRequest
from fruits_pipeline.session.spark import spark_session
from fruits_pipeline.settings.commands import ExtractCommand
from fruits_pipeline.settings.features import FeaturesSettings
from fruits_pipeline.settings.ingest import IngestSettings
from fruits_pipeline.settings.output import OutputSettings
from fruits_pipeline.settings.session import SessionSettings


@contextmanager
def started(request: ModelRequest, wave_images: int | None = None) -> Iterator[Callable[[Path, Path], None]]:
    """The session, and a function that runs ``extract`` on a folder of images."""
    features = FeaturesSettings(
        backbone=request.backbone,
        precision=request.precision,
        image_size=request.image_size,
        cache_dir=request.cache_dir,
    )
    with spark_session(SessionSettings()) as spark:
        # Commands end the session that they started: here all passes of a line share one, as in the other lines.
        pipeline.spark_session = lambda *_: nullcontext(spark)

        def write(images: Path, out: Path) -> None:
            ingest = IngestSettings(data_source=str(images), wave_images=wave_images)
            output = OutputSettings(output_uri=str(out))
            pipeline.execute("extract", ExtractCommand(output=output, ingest=ingest, features=features))

        yield write
