"""The pixels of an output's images, decoded as its run decoded them, and the written model's answers beside Spark's."""

import hashlib
import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fruits_pipeline.backbones.engines.runtimes import PIXELS
from fruits_pipeline.errors import InputError, ModelError
from fruits_pipeline.export.spec import Agreement
from fruits_pipeline.images.isolation import IsolatedDecoder
from fruits_pipeline.images.outcome import Rejected
from fruits_pipeline.schemas import TEST, VALIDATION
from fruits_pipeline.settings.features import FeaturesSettings
from fruits_pipeline.settings.storage import StorageSettings
from fruits_pipeline.storage.fetch import Wanted, Window, fetched
from fruits_pipeline.storage.single import Unread

log = logging.getLogger(__name__)

# Below this share of equal labels a model is refused: it does not say what was judged.
LEAST_AGREEMENT = 0.99
# Above this mean difference its confidence is another one, though its labels are the same.
_MOST_DIFFERENCE = 0.03
_LEAST_READ = 0.5


@dataclass(frozen=True)
class Read:
    """Images that were read again.

    Attributes:
        rows: Their rows of ``reduced``, in the order of the pixels.
        left_out: Others, by reason.
    """

    rows: pa.Table
    left_out: dict[str, int]

    def refuse_few(self, *, force: bool) -> None:
        """Raises where fewer than half could be read and nobody insists, and where none could.

        Raises:
            InputError: Then.
        """
        found, asked = self.rows.num_rows, self.rows.num_rows + sum(self.left_out.values())
        if found >= max(1, _LEAST_READ * asked) or (found and force):
            return
        reasons = ", ".join(f"{reason} {images}" for reason, images in self.left_out.items())
        raise InputError(
            f"expected to read at least half of {asked} images of the run again, to compare the model with it, found "
            f"{found} as they were ({reasons}); put them back where they were, or make the run again from where they "
            f"are now{'; --force takes the few' if found else ''}"
        )


def read_again(rows: pa.Table, settings: FeaturesSettings, storage: StorageSettings, folder: Path) -> Read:
    """Writes the pixels of ``rows`` of ``reduced`` to ``PIXELS`` in ``folder``, uint8 (S, S, 3) one after the other.

    Each is decoded in a process of its own. Images whose content is another one by now are left out.

    Args:
        rows: The images.
        settings: How the run treated images, with its size.
        storage: How buckets are reached.
        folder: Where the pixels go.

    Raises:
        StorageError: When the source as a whole cannot be read.
    """
    wanted = (Wanted(path, 0) for path in rows["path"].to_pylist())
    kept, left_out = [], Counter[str]()
    with (
        (folder / PIXELS).open("wb") as file,
        IsolatedDecoder(settings.decode_timeout_s) as decoder,
        closing(fetched(wanted, storage, Window(max_bytes=settings.max_bytes), judge=False)) as contents,
    ):
        expected = rows["content_sha256"].to_pylist()
        for place, pixels in enumerate(_pixels(contents, expected, decoder, settings)):
            if isinstance(pixels, str):
                left_out[pixels] += 1
            else:
                file.write(pixels.tobytes())
                kept.append(place)
    if left_out:
        log.warning(
            "images that cannot be compared: %s", ", ".join(f"{why} {count}" for why, count in left_out.items())
        )
    return Read(rows.take(pa.array(kept, pa.int64())), dict(sorted(left_out.items())))


def _pixels(
    contents: Iterable[bytes | Unread], expected: list[str], decoder: IsolatedDecoder, settings: FeaturesSettings
) -> Iterator[NDArray[np.uint8] | str]:
    """The pixels of each content, or why there are none."""
    for content, digest in zip(contents, expected, strict=True):
        if isinstance(content, Unread):
            yield content.reason
        elif hashlib.sha256(content).hexdigest() != digest:
            yield "changed"
        else:
            image = decoder.decode(content, settings.image_size or 0, settings.max_pixels)
            yield image.reason.value if isinstance(image, Rejected) else image.pixels


def agreement_of(
    read: Read, probabilities: NDArray[np.float64], labels: tuple[str, ...], said: dict[str, tuple[str, float]]
) -> Agreement:
    """How far a model whose temperature was taken away agrees with the run.

    Args:
        read: N images, each of which Spark's regression predicted.
        probabilities: float64 (N, L), what the model says of them, see ``without_temperature``.
        labels: L names.
        said: What Spark's regression said, by path.
    """
    answers = [said[path] for path in read.rows["path"].to_pylist()]
    mine = [labels[place] for place in probabilities.argmax(axis=1)]
    differences = np.abs(probabilities.max(axis=1) - np.array([confidence for _, confidence in answers]))
    return Agreement(
        images=len(answers),
        held_out=sum(split in (TEST, VALIDATION) for split in read.rows["split"].to_pylist()),
        same=sum(one == label for one, (label, _) in zip(mine, answers, strict=True)),
        mean_difference=float(differences.mean()),
        largest_difference=float(differences.max()),
        left_out=read.left_out,
    )


def refuse_disagreement(agreement: Agreement, *, force: bool) -> None:
    """Raises where the model says other labels than the run, or says them otherwise, and nobody insists.

    Raises:
        ModelError: Then.
    """
    if agreement.share >= LEAST_AGREEMENT and agreement.mean_difference <= _MOST_DIFFERENCE:
        return
    told = (
        f"expected the written model to say what the run said of at least {LEAST_AGREEMENT:.0%} of its images, with a "
        f"confidence that differs by at most {_MOST_DIFFERENCE} on average, found {agreement.share:.1%} of "
        f"{agreement.images} and {agreement.mean_difference:.4f}"
    )
    if not force:
        raise ModelError(
            f"{told}; nothing was written: take another --format (onnx has no int8 weights), or accept it with --force"
        )
    log.warning("%s; written all the same, because of --force", told)
