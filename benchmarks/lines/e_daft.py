"""(e) Daft: paths by glob, bytes by its own download, a class UDF in two processes with our OpenVINO model."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ["DAFT_ANALYTICS_ENABLED"] = "0"
os.environ["DAFT_PROGRESS_BAR"] = "0"

import daft

from fruits_pipeline.backbones.model import Model, ModelRequest, prepare
from lines.work import BATCH, PROCESSES, features_of


@daft.cls(max_concurrency=PROCESSES, use_process=True)
class Featuriser:
    """What each process holds."""

    def __init__(self, model: Model) -> None:
        self.model = model

    @daft.method.batch(return_dtype=daft.DataType.list(daft.DataType.float32()), batch_size=BATCH)
    def features(self, contents: daft.Series) -> list:
        """A list of D floats for each image."""
        return list(features_of(contents.to_pylist(), self.model))


@contextmanager
def started(request: ModelRequest) -> Iterator[Callable[[Path, Path], None]]:
    """A function that writes the features of a folder of images."""
    featuriser = Featuriser(prepare(request))

    def write(images: Path, out: Path) -> None:
        files = daft.from_glob_path(f"{images}/**").select("path")
        contents = files.with_column("content", daft.functions.download(files["path"]))
        contents.select("path", featuriser.features(contents["content"]).alias("features")).write_parquet(str(out))

    yield write
