"""Figures, names and paths as the page spells them."""

import unicodedata
from typing import Final

from pydantic import JsonValue

from fruits_pipeline.storage import uri

# Longer names and paths are cut in the middle; the whole one stands in the tables of ``evaluation/``.
MOST_NAME: Final = 60
MOST_PATH: Final = 90
_TWO_MINUTES_S: Final = 120
_ELLIPSIS: Final = "\u2026"
_REPLACEMENT: Final = "\ufffd"
# What joins emoji and letters of some scripts; other invisible characters could pass a name off as another.
_JOINERS: Final = {"\u200c", "\u200d"}


def number(value: float | None) -> str:
    """A number with commas; a dash where there is none.

    >>> number(13309), number(None), number(0.25)
    ('13,309', '—', '0.25')
    """
    if value is None:
        return "—"
    return f"{value:,}" if float(value).is_integer() and isinstance(value, int) else f"{value:,.4g}"


def percent(share: float | None) -> str:
    """A share as percent, with as many digits as tell it from 0 and from 100.

    >>> percent(0.9931), percent(0.99996), percent(1.0), percent(0.00004), percent(None)
    ('99.3 %', '99.996 %', '100 %', '0.004 %', '—')
    """
    if share is None:
        return "—"
    if share in (0, 1):
        return f"{100 * share:.0f} %"
    away = 100 * min(abs(share), abs(1 - share))
    digits = next((digits for digits in (1, 2, 3) if away >= 0.95 * 10**-digits), 4)
    return f"{100 * share:.{digits}f} %"


def tied(text: str) -> str:
    r"""The text with each sign for percent on the line of its number.

    >>> tied("95 % of them") == "95\u00a0% of them"
    True
    """
    return text.replace(" %", "\u00a0%")


def limit(share: float) -> str:
    """A threshold as percent, as short as it was given.

    >>> limit(0.01), limit(0.005)
    ('1 %', '0.5 %')
    """
    return f"{100 * share:.6g} %"


def interval(low: float | None, high: float | None) -> str:
    """Both ends of an interval of shares; nothing where there is none.

    >>> interval(0.98, 0.99), interval(None, 0.99)
    ('98.0 to 99.0 %', '')
    """
    return "" if low is None or high is None else f"{percent(low).removesuffix(' %')} to {percent(high)}"


def images(count: int) -> str:
    """So many images.

    >>> images(1), images(1200)
    ('1 image', '1,200 images')
    """
    return plural(count, "image")


def plural(count: int, noun: str) -> str:
    """A number and its noun.

    >>> plural(1, "label"), plural(2, "label")
    ('1 label', '2 labels')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def seconds(value: float | None) -> str:
    """Seconds, as minutes from two minutes on.

    >>> seconds(3.14159), seconds(240), seconds(None)
    ('3.1 s', '4 min 0 s', '—')
    """
    if value is None:
        return "—"
    return f"{value:.1f} s" if value < _TWO_MINUTES_S else f"{int(value) // 60} min {int(value) % 60} s"


def clean(text: str | None, most: int = MOST_NAME) -> str:
    r"""A name that can be shown: control and invisible characters replaced, long ones cut in the middle.

    >>> clean("a\nb"), clean("x" * 9, 5), clean(None)
    ('a�b', 'xx…xx', 'none')
    """
    if text is None:
        return "none"
    kept = "".join(_REPLACEMENT if _is_hidden(letter) else letter for letter in text) or "(empty)"
    if len(kept) <= most:
        return kept
    head = (most - 1) // 2
    return kept[:head] + _ELLIPSIS + kept[len(kept) - (most - 1 - head) :]


def path_below(path: str, root: str | None) -> str:
    """A path below the source's root; of one that lies elsewhere, the last two parts.

    >>> path_below("file:///data/a/b.jpg", "file:///data"), path_below("file:///home/me/a/b.jpg", "file:///data")
    ('a/b.jpg', '…/a/b.jpg')
    """
    found = uri.below(path, root) if root else None
    if found is None:
        found = "/".join([_ELLIPSIS, *path.partition("://")[2].split("/")[-2:]])
    return clean(found, MOST_PATH)


def place(address: str) -> str:
    """An address without what would tell of this machine: of a local one the last folder alone.

    >>> place("/home/me/results"), place("file:///home/me/results"), place("s3://bucket/results"), place("results")
    ('results', 'results', 's3://bucket/results', 'results')
    """
    if "://" in address and not address.startswith("file:"):
        return clean(address, MOST_PATH)
    return clean(address.rstrip("/").rpartition("/")[2] or "/", MOST_PATH)


def spoken(classifier: str) -> str:
    """A classifier's name in words.

    >>> spoken("logistic_regression")
    'logistic regression'
    """
    return clean(classifier.replace("_", " "))


def number_of(value: JsonValue) -> float | None:
    """A number of ``run.json``; None where there is something else."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _is_hidden(letter: str) -> bool:
    return unicodedata.category(letter).startswith("C") and letter not in _JOINERS
