"""Draws the timeline of an output's last command, from its ``run.json``: one bar for each step.

    make timeline OUTPUT=fruits-demo

Steps of one name are one bar, from the first one's begin to the last one's end; ``seconds`` adds them up.
"""

import json
import sys

from rich.bar import Bar
from rich.console import Console
from rich.table import Table

from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.state.layout import RUN_RECORD
from fruits_pipeline.storage.opening import open_store

_BAR_COLUMNS = 60


def main(output: str) -> None:
    """Prints the timeline of ``output``."""
    steps = json.loads(open_store(output, StorageSettings()).read(RUN_RECORD))["timeline"]
    end_s = max(step["ended_s"] for step in steps)
    table = Table("step", "seconds", "times", f"0 to {end_s:.1f} s since the process began", box=None)
    for step in steps:
        bar = Bar(end_s, step["began_s"], step["ended_s"], width=_BAR_COLUMNS)
        table.add_row(step["step"], f"{step['seconds']:.2f}", str(step["times"]), bar)
    Console(width=None if sys.stdout.isatty() else 140).print(table)


if __name__ == "__main__":
    main(sys.argv[1])
