"""What an object's key below the source's root says: its label, its split, and why it is skipped.

Splits. A folder named by one of ``schemas.SPLIT_WORDS``, in any case, is a split folder. The outermost one of a key
decides, for datasets are divided first and sorted into classes below: ``test/Apple/train/1.jpg`` is a test image. No
split folder is ever a label, also not deeper in the key.

Labels. Only folders below the split folder can be labels, in a key without one all folders: ``last`` takes the
innermost, ``first`` the outermost. Of ``train/Fruit/Apple/1.jpg`` these are ``Apple`` and ``Fruit``; of ``train/1.jpg``
and ``photos/test/1.jpg`` there is none, and the image is unlabelled.

Names. Content decides what an image is, so names leave little out: what systems make (hidden), and names with a suffix
that no image has. Names without any suffix, but for a few such as ``README``, are taken for images.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import NamedTuple

from fruits_pipeline.schemas import SPLIT_WORDS
from fruits_pipeline.settings.ingest import IngestSettings, LabelFolder
from fruits_pipeline.storage.source import matches

IMAGE_SUFFIXES = frozenset(
    {
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".pjpeg", ".pjp", ".mpo"),
        *(".png", ".apng", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff"),
        *(".avif", ".avifs", ".heic", ".heif", ".hif", ".jp2", ".j2k", ".jpf", ".jpx", ".jpc"),
    }
)
# An image's suffix with what servers and copies put behind it: x.jpg?itok=a, "x.jpg (1)", x.jpg_large, x.jpg:large.
_SUFFIX_WITHIN = re.compile(
    rf"({'|'.join(re.escape(suffix) for suffix in sorted(IMAGE_SUFFIXES))})(\?.*|[^a-z0-9.~][^.]*)?", re.DOTALL
)
# What ExifTool leaves of a file that it changed: the picture would stand twice, perhaps on two sides.
_ORIGINAL = re.compile(r"\.[a-z0-9]+_original$")
# Words of a name, also those that are told apart by a capital letter.
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
# At most ten characters, one of them a letter, so that "2.5 kg" and "scan.2026-01-02" have none.
_SUFFIX = re.compile(r"\.(?=[^.]*[a-z])[a-z0-9_~+-]{1,10}$")
# Names that systems and programs make, in lower case; those that begin with a dot are not listed.
_SYSTEM_NAMES = frozenset(
    {
        *("__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"),
        *("$recycle.bin", "system volume information", "lost+found", "@eadir", "#recycle", "@recycle", "@__thumb"),
        *("_temporary", "_success", "_metadata", "_common_metadata", "_delta_log", "_spark_metadata", "__pycache__"),
    }
)
_SYSTEM_PREFIXES = (".", "_committed_", "_started_", "__magic")
# First letters of all these but the few that end with no image's suffix.
_SYSTEM_LETTERS = frozenset("._@#$")
_NO_IMAGES = frozenset(
    {
        *("readme", "license", "licence", "copying", "notice", "authors", "changelog", "version", "makefile"),
        *("dockerfile", "manifest", "labels", "classes", "annotations", "md5sums", "sha1sums", "sha256sums"),
    }
)


class SkipReason(StrEnum):
    """Why an object that was found is not read."""

    HIDDEN = "hidden"
    """It, or a folder above it, has a name that systems make: with a dot in front, ``__MACOSX``, ``_temporary``."""
    NOT_SAMPLED = "not_sampled"
    """``--sample`` took others of its label."""
    NOT_AN_IMAGE_NAME = "not_an_image_name"
    """Its name ends with a suffix that no image has."""


class Meaning(NamedTuple):
    """Label, split (of ``schemas.SPLIT_WORDS``, or None) and skip reason of one object."""

    label: str | None
    split: str | None
    skip_reason: SkipReason | None


@dataclass(frozen=True)
class Naming:
    """How names are read.

    Attributes:
        label_folder: Which folder is the label: ``last``, ``first`` or ``none``.
        unlabelled: Globs of keys without label and split.
        include: Globs of names that are images' beside those known.
        used: The globs that matched so far.
    """

    label_folder: LabelFolder = "last"
    unlabelled: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    used: set[str] = field(default_factory=set, compare=False, repr=False)

    @classmethod
    def of(cls, settings: IngestSettings) -> "Naming":
        """As the settings say."""
        return cls(settings.label_folder, settings.unlabelled, settings.include)

    def meaning(self, key: str) -> Meaning:
        """What ``key``, the part of a path below the source's root, says.

        >>> Naming().meaning("Training/Apple Red 1/0_100.jpg")
        Meaning(label='Apple Red 1', split='train', skip_reason=None)
        >>> Naming("first", ("new/*",)).meaning("Fruit/Apple/1.jpg").label, Naming("none").meaning("Fruit/1.jpg").label
        ('Fruit', None)
        """
        folder, _, name = key.rpartition("/")
        label, split, hidden = _of_folder(folder, self.label_folder)
        if self.unlabelled and self.is_unlabelled(key):
            label = split = None
        return Meaning(label, split, SkipReason.HIDDEN if hidden else self._skip_reason(name))

    def is_unlabelled(self, key: str) -> bool:
        """Whether a glob of ``unlabelled`` takes label and split from ``key``."""
        found = next((glob for glob in self.unlabelled if matches(key.split("/"), glob.strip("/").split("/"))), None)
        return self._noted(found)

    def unused(self) -> list[str]:
        """The flags of globs that matched nothing so far."""
        globs = [("--unlabelled", glob) for glob in self.unlabelled] + [("--include", glob) for glob in self.include]
        return [f"{flag} {glob!r}" for flag, glob in globs if glob not in self.used]

    def _skip_reason(self, name: str) -> SkipReason | None:
        lower = name.lower()
        included = self._noted(next((g for g in self.include if fnmatchcase(lower, g.lower())), None))
        if name[:1] not in _SYSTEM_LETTERS and f".{lower.rpartition('.')[2]}" in IMAGE_SUFFIXES and "." in name:
            return None  # because this is what nearly all names are
        if _is_of_a_system(lower):
            return SkipReason.HIDDEN
        return None if included or _is_an_images(lower) else SkipReason.NOT_AN_IMAGE_NAME

    def _noted(self, glob: str | None) -> bool:
        if glob is not None:
            self.used.add(glob)
        return glob is not None


def split_folders(folder: str) -> list[str]:
    """The split folders of a key's folder as they are spelled, outermost first.

    >>> split_folders("photos/Training/Apple/test")
    ['Training', 'test']
    """
    return [part for part in folder.split("/") if part.lower() in SPLIT_WORDS]


def nearly_split(folder: str) -> str | None:
    """A key's outermost folder where a word of it is nearly one of ``SPLIT_WORDS``: its images are on no side.

    >>> [nearly_split(f"{name}/A") for name in ("train2017", "TestSet", "my_tests", "testing", "Teston", "Contest")]
    ['train2017', 'TestSet', 'my_tests', None, None, None]
    """
    outermost = folder.partition("/")[0]
    words = (word.lower().removesuffix("set").removesuffix("s") for word in _WORDS.findall(outermost))
    return outermost if outermost.lower() not in SPLIT_WORDS and any(word in SPLIT_WORDS for word in words) else None


def suffix_of(name: str) -> str:
    """The suffix of a name in lower case, "" where it has none.

    >>> suffix_of("IMG_1.jpg.XMP"), suffix_of("2.5 kg")
    ('.xmp', '')
    """
    found = _SUFFIX.search(name.lower())
    return found[0] if found else ""


@lru_cache(maxsize=4096)
def _of_folder(folder: str, label_folder: LabelFolder) -> tuple[str | None, str | None, bool]:
    """Label and split that a folder gives to its images, and whether it is hidden."""
    folders = folder.split("/") if folder else []
    places = [place for place, part in enumerate(folders) if part.lower() in SPLIT_WORDS]
    split = SPLIT_WORDS[folders[places[0]].lower()] if places else None
    below = folders[places[0] :] if places else folders
    labels = [part for part in below if part and part.lower() not in SPLIT_WORDS]
    wanted = {"last": labels[-1:], "first": labels[:1], "none": []}[label_folder]
    return next(iter(wanted), None), split, any(_is_of_a_system(part.lower()) for part in folders)


def _is_of_a_system(lower: str) -> bool:
    return lower.startswith(_SYSTEM_PREFIXES) or lower in _SYSTEM_NAMES


def _is_an_images(lower: str) -> bool:
    """Whether a name is taken for an image's: by a suffix somewhere near its end, or because it has no suffix."""
    plain = lower.rstrip(" .\t\r\n")
    if _ORIGINAL.search(plain):
        return False
    if any(_SUFFIX_WITHIN.fullmatch(plain, found.start()) for found in re.finditer(r"\.", plain)):
        return True
    return not _SUFFIX.search(plain) and plain not in _NO_IMAGES
