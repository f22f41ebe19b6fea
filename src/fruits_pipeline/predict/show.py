"""What is told of photos: a table for people, JSON and CSV for programs; some dozen photos are looked at together."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from io import StringIO
from itertools import chain
from typing import TextIO

from fruits_pipeline.settings.predict import FormatName


@dataclass(frozen=True)
class Guess:
    """A label, and its probability from 0 to 1."""

    label: str
    confidence: float


@dataclass(frozen=True)
class Prediction:
    """What is known of one photo.

    Attributes:
        path: Its full address.
        guesses: The most likely labels, the likeliest first; none where it cannot be read.
        familiarity: The share of held-out images that lie further from the training images.
        unfamiliar: Whether it lies further off than 99 of 100 of them, so that no label is to be believed.
        reason: Why it cannot be read, as in ``rejects``.
        detail: More of that.
    """

    path: str
    guesses: tuple[Guess, ...] = ()
    familiarity: float | None = None
    unfamiliar: bool | None = None
    reason: str | None = None
    detail: str | None = None


def show(predictions: Iterable[Prediction], how: FormatName, labels: Sequence[str], top: int, out: TextIO) -> None:
    """Writes the predictions to ``out``, ``top`` of the ``labels`` for each."""
    lines = {"table": _table, "json": _json, "csv": _csv}[how]
    for line in lines(predictions, labels, top):
        out.write(line + "\n")
        out.flush()


def _table(predictions: Iterable[Prediction], labels: Sequence[str], top: int) -> Iterator[str]:
    """The path stands last, because its length is not known before."""
    width = max(map(len, labels)) + len(" 0.0000")
    heads = ["prediction", "second", "third", *(f"{place}." for place in range(4, top + 1))][:top]
    yield "  ".join(["familiarity", *(head.ljust(width) for head in heads), "photo"])
    for one in predictions:
        if one.reason is not None:
            yield "  ".join(["-".ljust(11), f"{one.reason}: {one.detail}".ljust((width + 2) * top - 2), one.path])
            continue
        guesses = [f"{guess.label} {guess.confidence:.4f}".ljust(width) for guess in one.guesses]
        guesses += [" " * width] * (top - len(guesses))
        known = "unfamiliar" if one.unfamiliar else f"{one.familiarity:.3f}"
        yield "  ".join([known.ljust(11), *guesses, one.path])


def _json(predictions: Iterable[Prediction], labels: Sequence[str], top: int) -> Iterator[str]:  # noqa: ARG001 because all formats are called alike
    """One array, of which each line is an object."""
    before = "["
    for one in predictions:
        yield before + json.dumps(asdict(one), ensure_ascii=False)
        before = ","
    yield "]" if before == "," else "[]"


def _csv(predictions: Iterable[Prediction], labels: Sequence[str], top: int) -> Iterator[str]:  # noqa: ARG001 because all formats are called alike
    places = range(1, top + 1)
    heads = chain.from_iterable((f"label_{place}", f"confidence_{place}") for place in places)
    yield _line(["path", "familiarity", "unfamiliar", *heads, "reason", "detail"])
    for one in predictions:
        guesses = list(chain.from_iterable((guess.label, guess.confidence) for guess in one.guesses))
        guesses += [None] * (2 * top - len(guesses))
        yield _line([one.path, one.familiarity, one.unfamiliar, *guesses, one.reason, one.detail])


def _line(values: Sequence[object]) -> str:
    line = StringIO()
    csv.writer(line, lineterminator="\n").writerow(values)
    return line.getvalue().removesuffix("\n")
