"""Runs the notebook from top to bottom and writes it with what it printed: ``execute.py [NOTEBOOK [RESULT]]``.

It runs in a new folder, where it draws its sample. Results are kept; what cells write to stderr is not, because Spark
names the machine there.
"""

import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).resolve().parent
TIMEOUT_S = 600


def execute(notebook: Path, result: Path) -> None:
    """Raises nbclient's ``CellExecutionError``, with the cell and its error, where one fails."""
    content = nbformat.read(notebook, as_version=4)
    with tempfile.TemporaryDirectory(prefix="notebook-") as folder:
        client = NotebookClient(
            content, timeout=TIMEOUT_S, record_timing=False, resources={"metadata": {"path": folder}}
        )
        client.execute()
    for cell in content.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    content.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    nbformat.write(content, result)


if __name__ == "__main__":
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")  # because the kernel's debugger else writes a warning
    given = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "fruits_pipeline.ipynb"
    execute(given, Path(sys.argv[2]) if len(sys.argv) > 2 else given)  # noqa: PLR2004 because it is the second argument
