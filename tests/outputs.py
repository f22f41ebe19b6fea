"""What stands in an output, read as a user would: with pandas and json."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def message(self) -> str:
        """What stands on stderr from the error on."""
        return self.err[self.err.index("error: ") :]


def record(output: Path) -> dict:
    """The output's ``run.json``."""
    return json.loads((output / "run.json").read_text())


def table(output: Path, dataset: str, root: Path | str) -> pd.DataFrame:
    """A dataset in order of the path below the source's root (a local folder, or an address)."""
    frame = pd.read_parquet(output / dataset)
    address = f"file://{root}" if isinstance(root, Path) else root
    frame["path"] = frame["path"].str.removeprefix(f"{address}/")
    keys = ["path", "classifier"] if "classifier" in frame else ["path"]
    return frame.sort_values(keys).reset_index(drop=True)


def assert_equal_results(one: Path, other: Path, root: Path, other_root: Path | str | None = None) -> None:
    """Same paths, same counts, same predicted labels, features within 1e-5."""
    assert record(one)["counts"] == record(other)["counts"]
    read = ((one, root), (other, other_root or root))
    features = [table(output, "features", place) for output, place in read]
    assert features[0]["path"].tolist() == features[1]["path"].tolist()
    np.testing.assert_allclose(*(np.stack(frame["features"].to_list()) for frame in features), atol=1e-5)
    predictions = [table(output, "predictions", place) for output, place in read]
    columns = ["path", "label", "split", "classifier", "prediction"]
    pd.testing.assert_frame_equal(*(frame[columns] for frame in predictions))


def contents(folder: Path) -> dict[str, int]:
    """Every file below ``folder`` with the time of its last change."""
    files = (file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): file.stat().st_mtime_ns for file in files}
