"""The notebook of the documents, from top to bottom in a kernel of its own."""

import json
import re
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "notebooks"
NOTEBOOK = FOLDER / "fruits_pipeline.ipynb"
MOST_BYTES = 100_000


def outputs(file):
    """The sources of the notebook's cells, and the kinds and the text of what they left."""
    cells = json.loads(file.read_text())["cells"]
    left = [output for cell in cells for output in cell.get("outputs", [])]
    return [cell["source"] for cell in cells], {one["output_type"] for one in left}, json.dumps(left)


def test_the_notebook_runs_and_its_outputs_are_small(command, tmp_path):
    ended = command(FOLDER / "execute.py", NOTEBOOK, tmp_path / "ran.ipynb", program=Path(sys.executable))
    assert ended.code == 0, ended.err
    sources, kinds, text = outputs(tmp_path / "ran.ipynb")
    assert kinds == {"stream", "execute_result"}
    assert (tmp_path / "ran.ipynb").stat().st_size < MOST_BYTES
    assert "not_an_image" in text
    assert re.search(r"accuracy (9\d|100)\.\d%", text)
    kept_sources, kept_kinds, kept = outputs(NOTEBOOK)
    assert (kept_sources, kept_kinds) == (sources, kinds)
    assert NOTEBOOK.stat().st_size < MOST_BYTES
    assert not re.search(r"(file:|/)(/*)(home|root|tmp|work|usr)/", kept)
