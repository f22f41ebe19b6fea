"""A wave all of whose images were rejected for one reason: which, with the first path, and what is likely."""

import io
import unicodedata
from collections.abc import Callable
from typing import Final, Literal
from urllib.parse import unquote

import pyarrow.parquet as pq

from fruits_pipeline import schemas
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.features.job import FeatureJob
from fruits_pipeline.images.reason import Reason
from fruits_pipeline.state.layout import REJECTS
from fruits_pipeline.state.snapshot import WaveMarker
from fruits_pipeline.storage.opening import open_store

# As nearly all systems write accents, and as old Macs did.
_FORMS: Final[tuple[Literal["NFC", "NFD"], ...]] = ("NFC", "NFD")
_LIKELY = {
    Reason.MISSING: "the images lie in another folder or bucket than these paths say (a path of a table is read below "
    "the table's own folder, unless it is a full address), or are gone",
    Reason.FORBIDDEN: "the workers' credentials may not read these images; to list them is another right",
    Reason.EMPTY: "a copy was cut off, or these are placeholders of a drive that keeps its files elsewhere",
    Reason.NOT_AN_IMAGE: "the files hold something else, such as Git LFS' pointers, or web pages in place of downloads",
}


def whole_wave_rejected(job: FeatureJob, wave: WaveMarker) -> str | None:
    """Why no image of a finished wave could be read, where there is one reason for all; else None."""
    counts = wave.counts
    if counts.read or len(counts.reject_reasons) != 1:
        return None
    rejects = (pq.read_table(io.BytesIO(job.store.read(f.key)), schema=schemas.REJECTS) for f in wave.of(REJECTS))
    first = next(table for table in rejects if len(table)).slice(0, 1).to_pylist()[0]
    likely = likely_cause(first["reason"], first["path"], lambda path: _is_there(job, path))
    told = f" ({first['detail']})" if first["detail"] else ""
    return (
        f"all {counts.rejected} images of batch {wave.wave} are rejected as {first['reason']}, the first one was read "
        f"as {first['path']!r}{told}; likely: {likely}"
    )


def likely_cause(reason: str, path: str, is_there: Callable[[str], bool]) -> str:
    """What is likely where every image is rejected for ``reason``.

    Args:
        reason: The reason.
        path: The URI of the first image, as it was read.
        is_there: Whether a file stands at another URI.

    >>> likely_cause("missing", "s3://b/a%20b.jpg", lambda path: path == "s3://b/a b.jpg")
    "'s3://b/a b.jpg' is there: %20 and the like stand for characters, which paths are to have themselves"
    """
    spellings = [
        (unquote(path), "%20 and the like stand for characters, which paths are to have themselves"),
        (path.replace("\\", "/"), "paths are to have / in the place of \\"),
        (unquote(path.replace("+", " ")), "+ stands for a space, which paths are to have themselves"),
        (path.replace(" ", "%20"), "names have %20 in the place of spaces, as paths are to have too"),
        *((unicodedata.normalize(form, path), f"accents of names are encoded otherwise ({form})") for form in _FORMS),
    ]
    if reason == Reason.MISSING:
        for other, why in spellings:
            if other != path and is_there(other):
                return f"{other!r} is there: {why}"
    return _LIKELY.get(Reason(reason), "see the reason's detail")


def _is_there(job: FeatureJob, path: str) -> bool:
    folder, _, name = path.rpartition("/")
    try:
        return open_store(folder, job.storage).stat(name) is not None
    except FruitsError:
        return False
