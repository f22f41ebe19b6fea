"""What is told of photos: a table for people, JSON and CSV for programs; some dozen photos are looked at together."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from io import StringIO
from itertools import chain
from typing import TextIO

from fruits_pipeline.settings.predict import FormatName, PredictSettings


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
        probabilities: Those of all labels, in their order; none where they are not asked for, or it cannot be read.
        familiarity: The share of held-out images that lie further from the training images.
        unfamiliar: Whether it lies further off than 99 of 100 of them, so that no label is to be believed.
        reason: Why it cannot be read, as in ``rejects``.
        detail: More of that.
    """

    path: str
    guesses: tuple[Guess, ...] = ()
    probabilities: tuple[float, ...] = ()
    familiarity: float | None = None
    unfamiliar: bool | None = None
    reason: str | None = None
    detail: str | None = None


@dataclass(frozen=True)
class Told:
    """What is told of each photo.

    Attributes:
        labels: All labels, by index.
        top: How many of them are told, the likeliest first.
        has_all: Whether the probabilities of all are told too.
    """

    labels: tuple[str, ...]
    top: int
    has_all: bool

    @classmethod
    def of(cls, settings: PredictSettings, labels: tuple[str, ...]) -> "Told":
        """What ``settings`` ask for; a table has all labels in one row, the likeliest first."""
        if settings.probabilities and settings.format == "table":
            return cls(labels, len(labels), has_all=False)
        return cls(labels, settings.top, has_all=settings.probabilities)


def show(predictions: Iterable[Prediction], how: FormatName, told: Told, out: TextIO) -> None:
    """Writes the predictions to ``out``."""
    lines = {"table": _table, "json": _json, "csv": _csv}[how]
    for line in lines(predictions, told):
        out.write(line + "\n")
        out.flush()


def _table(predictions: Iterable[Prediction], told: Told) -> Iterator[str]:
    """The path stands last, because its length is not known before."""
    top, width = told.top, max(map(len, told.labels)) + len(" 0.0000")
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


def _json(predictions: Iterable[Prediction], told: Told) -> Iterator[str]:
    """One array, of which each line is an object."""
    before = "["
    for one in predictions:
        fields = asdict(one)
        shares = fields.pop("probabilities")
        if told.has_all:
            fields["probabilities"] = dict(zip(told.labels, shares, strict=True)) if shares else None
        yield before + json.dumps(fields, ensure_ascii=False)
        before = ","
    yield "]" if before == "," else "[]"


def _csv(predictions: Iterable[Prediction], told: Told) -> Iterator[str]:
    heads = chain.from_iterable((f"label_{place}", f"confidence_{place}") for place in range(1, told.top + 1))
    labels = told.labels if told.has_all else ()
    every = (f"probability_{label}" for label in labels)
    yield _line(["path", "familiarity", "unfamiliar", *heads, "reason", "detail", *every])
    for one in predictions:
        guesses = list(chain.from_iterable((guess.label, guess.confidence) for guess in one.guesses))
        guesses += [None] * (2 * told.top - len(guesses))
        shares = one.probabilities if told.has_all and one.probabilities else [None] * len(labels)
        yield _line([one.path, one.familiarity, one.unfamiliar, *guesses, one.reason, one.detail, *shares])


def _line(values: Sequence[object]) -> str:
    line = StringIO()
    csv.writer(line, lineterminator="\n").writerow(values)
    return line.getvalue().removesuffix("\n")
