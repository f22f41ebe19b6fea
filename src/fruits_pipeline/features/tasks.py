"""How many tasks a wave is cut into."""

from math import ceil

# Some ten seconds of one core: short enough for progress every few seconds, long enough to hide a task's start.
IMAGES_PER_TASK = 1_000
TASKS_PER_CORE = 4


def tasks_of(images: int, cores: int) -> int:
    """Tasks for a wave of ``images``: enough to keep every core busy to the end, few enough for large files.

    >>> tasks_of(20_000, 2), tasks_of(400, 2), tasks_of(3, 2)
    (20, 8, 3)
    """
    return max(1, min(images, max(ceil(images / IMAGES_PER_TASK), TASKS_PER_CORE * cores)))
