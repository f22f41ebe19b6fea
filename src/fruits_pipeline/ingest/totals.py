"""What all windows of a listing come to, and what a person is told about it."""

import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from fruits_pipeline.errors import InputError
from fruits_pipeline.ingest.comparison import Compared
from fruits_pipeline.ingest.naming import Naming, SkipReason, nearly_split, split_folders, suffix_of
from fruits_pipeline.schemas import SPLIT_WORDS
from fruits_pipeline.state.counts import Change, Sides
from fruits_pipeline.storage import uri

log = logging.getLogger(__name__)

_TOLD = 10
# More objects than this share of all, left out because of their names, are worth a warning.
_MANY_SKIPPED: Final = 1 / 20
# Suffixes that are counted at once; the rarest are forgotten where names have more.
_SUFFIXES = 1_000


@dataclass
class Totals:
    """What all windows come to; ``root`` is the source's, below which folders have a meaning."""

    root: str
    rewritten: set[str] = field(default_factory=set)
    to_compute: set[str] = field(default_factory=set)
    last: dict[str, str] = field(default_factory=dict)
    """The last path that each planned wave still has."""
    reasons: Counter[str | None] = field(default_factory=Counter)
    unchanged: int = 0
    relabelled: int = 0
    gone: int = 0
    rows: int = 0
    known: int = 0
    new_images: int = 0
    """Images that no wave had."""
    labelled_outside: int = 0
    """Images with a label and without a split."""
    contradicting: int = 0
    """Images below split folders of several sides."""
    nearly_split: set[str] = field(default_factory=set)
    """Outermost folders that begin like split folders, of images without a split."""
    _splits: Counter[str | None] = field(default_factory=Counter)
    _folders: Counter[str] = field(default_factory=Counter)
    _suffixes: Counter[str] = field(default_factory=Counter)

    @property
    def change(self) -> Change:
        """What has changed."""
        computed = self.reasons[None] - self.unchanged
        return Change(kept=self.unchanged, computed=computed, relabelled=self.relabelled, gone=self.gone)

    @property
    def sides(self) -> Sides:
        """Images by split."""
        folders = dict(self._folders.most_common(_TOLD))
        return Sides.model_validate({side or "none": n for side, n in self._splits.items()} | {"folders": folders})

    def add(self, window: Compared) -> None:
        """Counts a window."""
        rows = window.rows
        self.rewritten |= window.rewritten
        self.to_compute |= window.to_compute
        self.reasons[None] += window.images
        self.reasons.update(rows["skip_reason"].drop_null().to_pylist())
        self.unchanged += window.unchanged
        self.relabelled += window.relabelled
        self.gone += window.gone
        self.rows += len(rows)
        self.known += len(rows) - rows["wave"].null_count
        self.new_images += pc.sum(pc.and_(pc.is_null(rows["wave"]), pc.is_null(rows["skip_reason"]))).as_py() or 0
        for name in rows["wave"].unique().drop_null().to_pylist():
            self.last[name] = rows["path"].filter(pc.equal(rows["wave"], name))[-1].as_py()
        self._count_images(rows.filter(pc.is_null(rows["skip_reason"])))
        unknown = pc.fill_null(pc.equal(rows["skip_reason"], SkipReason.NOT_AN_IMAGE_NAME), fill_value=False)
        self._count_suffixes(rows["path"].filter(unknown).to_pylist())

    def refuse_empty(self, source: object) -> None:
        """Raises where no image is to be read.

        Raises:
            InputError: Then, with what was found instead.
        """
        if self.reasons[None]:
            return
        skips = sorted((reason, count) for reason, count in self.reasons.items() if reason is not None)
        skipped = ", ".join(f"{reason} {count}" for reason, count in skips) or "none at all"
        suffixes = f"; names end with {self._commonest()}" if self._suffixes else ""
        raise InputError(
            f"expected images in {source}, found no image among {self.reasons.total()} objects ({skipped}{suffixes}); "
            "check --data-source, or say by --include which names are images'"
        )

    def warn(self, naming: Naming) -> None:
        """Logs what is probably not meant."""
        found, skipped = self.reasons.total(), self.reasons[SkipReason.NOT_AN_IMAGE_NAME]
        with_split = self._splits.total() - self._splits[None]
        if skipped > found * _MANY_SKIPPED:
            log.warning(
                "skipped by their names=%d of %d objects (%s); take them for images by --include '*.SUFFIX'",
                *(skipped, found, self._commonest()),
            )
        if self.labelled_outside and with_split:
            log.warning(
                "images with a split=%d, labelled images without=%d: these are only predicted; --train-split 0.8 "
                "splits all images by a hash instead",
                *(with_split, self.labelled_outside),
            )
        if self.contradicting:
            log.warning(
                "images below split folders of several sides=%d: the outermost folder decides, and none of these is a "
                "label; name a deeper --data-source where it is no split",
                self.contradicting,
            )
        if self.nearly_split:
            log.warning(
                "folders that look like splits and are none=%d: %s; rename them to one of %s, else their images are on "
                "no side, or, where no image has a split, a hash puts them on any",
                len(self.nearly_split),
                ", ".join([*map(repr, sorted(self.nearly_split)[:_TOLD]), *["..."][: len(self.nearly_split) > _TOLD]]),
                ", ".join(SPLIT_WORDS),
            )
        for glob in naming.unused():
            log.warning("%s matches nothing below %s", glob, self.root)

    def _commonest(self) -> str:
        return ", ".join(f"{suffix} {n}" for suffix, n in self._suffixes.most_common(_TOLD))

    def _count_images(self, images: pa.Table) -> None:
        folders = pc.replace_substring_regex(images["path"], r"/[^/]*$", "")
        table = pa.table({"folder": folders, "split": images["split"], "labelled": pc.is_valid(images["label"])})
        groups = table.group_by(["folder", "split", "labelled"]).aggregate([("folder", "count")])
        for group in groups.to_pylist():
            split, number = group["split"], group["folder_count"]
            below = uri.below(group["folder"], self.root) or ""
            names = split_folders(below)
            if split is None and len(self.nearly_split) < _SUFFIXES and (near := nearly_split(below)):
                self.nearly_split.add(near)
            self._splits[split] += number
            self.labelled_outside += number if group["labelled"] and split is None else 0
            self.contradicting += number if len({SPLIT_WORDS[name.lower()] for name in names}) > 1 else 0
            if names and SPLIT_WORDS[names[0].lower()] == split:
                self._folders[names[0]] += number

    def _count_suffixes(self, paths: list[str]) -> None:
        self._suffixes.update(suffix_of(path.rpartition("/")[2]) or path.rpartition("/")[2] for path in paths)
        if len(self._suffixes) > _SUFFIXES:
            self._suffixes = Counter(dict(self._suffixes.most_common(_SUFFIXES // 2)))
