"""Which wave of work each image belongs to; membership, once given, is never recut.

Both the old manifest and the new listing come in order of path, so that they are merged as streams.
A wave that has lost an image, or holds one that has changed, is retired: its other images get a new one.
"""

from collections.abc import Iterable, Iterator

from fruits_pipeline.ingest.rows import Row

MAX_WAVE_IMAGES = 200_000
# Some minutes of work for one core.
IMAGES_PER_CORE = 10_000


def default_wave_images(cores: int) -> int:
    """Images in a wave that keeps so many cores busy for some minutes."""
    return min(MAX_WAVE_IMAGES, IMAGES_PER_CORE * cores)


def wave_name(number: int) -> str:
    """The name of the wave with this number.

    >>> wave_name(7)
    '00007'
    """
    return f"{number:05d}"


def paired(old: Iterable[Row], new: Iterable[Row]) -> Iterator[tuple[Row | None, Row | None]]:
    """Old and new row of each path, None where a side has none; both come in order of path."""
    olds, news = iter(old), iter(new)
    was, now = next(olds, None), next(news, None)
    while was is not None or now is not None:
        if now is None or (was is not None and was.path < now.path):
            yield was, None
            was = next(olds, None)
        elif was is None or now.path < was.path:
            yield None, now
            now = next(news, None)
        else:
            yield was, now
            was, now = next(olds, None), next(news, None)


def retired(old: Iterable[Row], new: Iterable[Row]) -> frozenset[str]:
    """The waves of the old manifest that have lost or changed an image."""
    return frozenset(
        was.wave for was, now in paired(old, new) if was is not None and was.wave is not None and not _kept(was, now)
    )


def assigned(
    old: Iterable[Row], new: Iterable[Row], gone: frozenset[str], first: int, wave_images: int
) -> Iterator[Row]:
    """The new rows with their waves: those kept, and from number ``first`` on those newly cut."""
    cut = 0
    for was, now in paired(old, new):
        if now is None:
            continue
        if now.skip_reason is not None:
            yield now
        elif was is not None and was.wave is not None and was.wave not in gone:
            yield now._replace(wave=was.wave)
        else:
            yield now._replace(wave=wave_name(first + cut // wave_images))
            cut += 1


def _kept(was: Row, now: Row | None) -> bool:
    """Whether the image is still there, to be read, and unchanged."""
    return now is not None and now.skip_reason is None and (now.length, now.modified) == (was.length, was.modified)
