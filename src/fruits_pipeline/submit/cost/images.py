"""How many images a submission is about: given, known from an earlier run, or listed."""

from itertools import islice, pairwise
from typing import Any, Final, NamedTuple

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.settings.submit import SubmitSettings
from fruits_pipeline.state.record import load_record
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.submit.job import SubmittedJob

# A hundred LIST requests; a listing of ten million keys would take ten thousand.
_MOST_LISTED: Final = 100_000
_TABLES: Final = (".csv", ".tsv", ".parquet")
_GIVE: Final = "give --images"


class Images(NamedTuple):
    """The number of images, or None; and where it is from, or why there is none."""

    known: int | None
    told: str


def known_images(job: SubmittedJob, submit: SubmitSettings, storage: StorageSettings) -> Images:
    """What ``--images`` says; else what ``run.json`` of the output or of a pack says; else what a short listing finds.

    With ``--max-cost`` the output's comes last, because the source may have grown since. A dry run asks no server.
    """
    if submit.images is not None:
        return Images(submit.images, "--images")
    if submit.dry_run:
        return Images(None, f"a dry run counts nothing; {_GIVE}")
    source = argument(job, "--data-source") or ""
    try:
        if submit.max_cost is not None:
            return _now(source, job.output_uri, storage)
        return (
            _recorded(job.output_uri, "the output", storage)
            or _recorded(source, "the source", storage)
            or _listed(source, storage)
        )
    except FruitsError as error:
        return Images(None, f"{error}; or {_GIVE}")


def argument(job: SubmittedJob, flag: str) -> str | None:
    """The value of a flag of the job's command line, or None where it has its default."""
    return next((value for name, value in pairwise(job.arguments) if name == flag), None)


def _is_table(address: str) -> bool:
    return address.endswith(_TABLES) or any(sign in address for sign in "*?[")


def _now(source: str, output: str, storage: StorageSettings) -> Images:
    """The number of a pack or of a listing; where the latter gives up, that of the last run, if it can be right."""
    found = _recorded(source, "the source", storage) or _listed(source, storage)
    earlier = None if found.known is not None else _recorded(output, "the output", storage)
    if earlier is None or (not _is_table(source) and (earlier.known or 0) <= _MOST_LISTED):
        return found
    return Images(earlier.known, f"{earlier.told}, which may be older than the source: {found.told}")


def _recorded(address: str, whose: str, storage: StorageSettings) -> Images | None:
    if _is_table(address):
        return None
    record: dict[str, Any] = load_record(open_store(address, storage)) or {}
    found = record.get("counts", {}).get("found")
    return Images(found, f"run.json of {whose}") if isinstance(found, int) and found else None


def _listed(source: str, storage: StorageSettings) -> Images:
    if _is_table(source):
        return Images(None, f"a table or a glob is not counted; {_GIVE}")
    objects = open_store(source, storage).objects()
    count = sum(1 for _ in islice(objects, _MOST_LISTED + 1))
    if count > _MOST_LISTED:
        return Images(None, f"more than {_MOST_LISTED:,} files, each 1,000 of which cost a LIST to count; {_GIVE}")
    return Images(count, "files listed")
