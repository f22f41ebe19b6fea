"""How many tasks a wave is cut into, how many rows a batch has."""

from math import ceil

# Some ten seconds of one core: short enough for progress every few seconds, long enough to hide a task's start.
IMAGES_PER_TASK = 1_000
# One batch: fewer take less time than the start of a task.
LEAST_PER_TASK = 32
TASKS_PER_CORE = 4


def tasks_of(images: int, cores: int) -> int:
    """Tasks for a wave of ``images``: enough to keep every core busy to the end, few enough for large files.

    >>> tasks_of(20_000, 2), tasks_of(400, 2), tasks_of(3, 2)
    (20, 8, 1)
    """
    worth_a_task = ceil(images / LEAST_PER_TASK)
    return max(1, min(worth_a_task, max(ceil(images / IMAGES_PER_TASK), TASKS_PER_CORE * cores)))


# Arrow, pandas and Python's own objects each hold a batch at once: three times this in a worker.
_BATCH_BYTES = 32 * 1024 * 1024


def rows_of_batch(common_bytes: int, most: int) -> int:
    """Rows of one Arrow batch: ``most``, or fewer where files are large.

    Args:
        common_bytes: The length that all but a twentieth of the files keep below.
        most: Rows at most.

    >>> rows_of_batch(5_000, 32), rows_of_batch(4_000_000, 32), rows_of_batch(0, 32)
    (32, 8, 32)
    """
    return max(1, min(most, _BATCH_BYTES // max(common_bytes, 1)))
