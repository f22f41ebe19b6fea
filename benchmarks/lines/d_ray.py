"""(d) Ray Data: files read as bytes, an actor for each core that holds our OpenVINO model, Parquet out."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import ray

from fruits_pipeline.backbones.model import Model, ModelRequest, prepare
from lines.work import BATCH, PROCESSES, features_of


class Featuriser:
    """What each actor holds."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Columns ``bytes`` and ``path`` to ``path`` and ``features``."""
        features = features_of(batch["bytes"].to_pylist(), self.model)
        lists = pa.FixedSizeListArray.from_arrays(pa.array(features.reshape(-1)), features.shape[1])
        return pa.table({"path": batch["path"], "features": lists.cast(pa.list_(pa.float32()))})


@contextmanager
def started(request: ModelRequest) -> Iterator[Callable[[Path, Path], None]]:
    """A local Ray, and a function that writes the features of a folder of images."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    model = prepare(request)
    # One processor more than there is: the actors hold theirs all the time, and files must be read meanwhile.
    ray.init(num_cpus=PROCESSES + 1, include_dashboard=False, logging_level=logging.ERROR, log_to_driver=False)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False

    def write(images: Path, out: Path) -> None:
        files = ray.data.read_binary_files(str(images), include_paths=True)
        features = files.map_batches(
            Featuriser,
            fn_constructor_args=(model,),
            batch_size=BATCH,
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(size=PROCESSES),
            num_cpus=1,
        )
        features.write_parquet(str(out))

    try:
        yield write
    finally:
        ray.shutdown()
