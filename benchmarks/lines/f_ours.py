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
from fruits_pipeline.settings.storage import StorageSettings

_FILES = StorageSettings()

# (images' folder or address, output's folder, images in a wave or nothing)
Extract = Callable[..., None]


@contextmanager
def started(request: ModelRequest, storage: StorageSettings = _FILES, reader: str = "auto") -> Iterator[Extract]:
    """The session, and a function that runs ``extract`` on a folder of images, in waves of a size that may be named."""
    features = FeaturesSettings(
        backbone=request.backbone,
        precision=request.precision,
        image_size=request.image_size,
        cache_dir=request.cache_dir,
        reader=reader,
    )
    with spark_session(SessionSettings(), storage, frozenset({"file"})) as spark:
        # Commands end the session that they started: here all passes of a line share one, as in the other lines.
        pipeline.spark_session = lambda *_, **__: nullcontext(spark)

        def write(images: Path | str, out: Path, wave_images: int | None = None) -> None:
            ingest = IngestSettings(data_source=str(images), wave_images=wave_images)
            output = OutputSettings(output_uri=str(out))
            command = ExtractCommand(output=output, storage=storage, ingest=ingest, features=features)
            pipeline.execute("extract", command)

        yield write
