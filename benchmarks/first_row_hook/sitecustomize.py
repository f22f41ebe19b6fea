"""Notes in the file ``FIRST_ROW_FILE`` when the first features of the job are there.

Python loads this before anything else in the command and in its workers, because ``first_row.py`` puts this folder on
their path: the command is measured as it is, without a change to it.
"""

import os
import time
from contextlib import suppress
from functools import wraps
from pathlib import Path

from fruits_pipeline.features import batch

_outcomes = batch.outcomes


@wraps(_outcomes)
def _noted(*arguments: object, **named: object) -> object:
    rows = _outcomes(*arguments, **named)
    with suppress(FileExistsError), Path(os.environ["FIRST_ROW_FILE"]).open("x", encoding="utf-8") as file:
        file.write(str(time.time()))
    return rows


batch.outcomes = _noted
