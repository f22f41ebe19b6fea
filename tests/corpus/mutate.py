"""Seeded damage: other files from the corpus, the same ones from the same numbers."""

from collections.abc import Callable, Sequence

import numpy as np

from odd_chunks import with_checksums

_EXTREMES = (b"\x00", b"\xff", b"\x00\x00", b"\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", b"\x00\x00\x00\x01")
# Most of what a decoder may stumble over stands within so many bytes of the start; the last is the whole file.
_REACHES = (40, 120, 250, 600, 10**9)
_MOST_CHANGES = 6
_PNG = b"\x89PNG\r\n\x1a\n"


def mutated(contents: Sequence[bytes], seed: int, number: int) -> bytes:
    """One of ``contents`` with one to six changes; a function of ``seed`` and ``number`` alone.

    Half of the PNGs have their checksums made right again, or nothing would get behind these.
    """
    rng = np.random.default_rng([seed, number])
    content = contents[int(rng.integers(len(contents)))]
    for _ in range(int(rng.integers(1, _MOST_CHANGES + 1))):
        change = _CHANGES[int(rng.integers(len(_CHANGES)))]
        place = int(rng.integers(max(1, min(len(content), int(rng.choice(_REACHES))))))
        content = change(content, place, contents, rng)
    return with_checksums(content) if content.startswith(_PNG) and rng.random() < 0.5 else content


_Change = Callable[[bytes, int, Sequence[bytes], np.random.Generator], bytes]


def _flip(content: bytes, place: int, _: Sequence[bytes], rng: np.random.Generator) -> bytes:
    flipped = bytes([content[place] ^ 1 << int(rng.integers(8))]) if content else b""
    return content[:place] + flipped + content[place + 1 :]


def _byte(content: bytes, place: int, _: Sequence[bytes], rng: np.random.Generator) -> bytes:
    return content[:place] + bytes([int(rng.integers(256))]) + content[place + 1 :]


def _extreme(content: bytes, place: int, _: Sequence[bytes], rng: np.random.Generator) -> bytes:
    piece = _EXTREMES[int(rng.integers(len(_EXTREMES)))]
    return content[:place] + piece + content[place + len(piece) :]


def _deleted(content: bytes, place: int, _: Sequence[bytes], rng: np.random.Generator) -> bytes:
    return content[:place] + content[place + int(rng.integers(1, 40)) :]


def _repeated(content: bytes, place: int, _: Sequence[bytes], rng: np.random.Generator) -> bytes:
    end = place + int(rng.integers(1, 200))
    return content[:end] + content[place:]


def _inserted(content: bytes, place: int, _: Sequence[bytes], rng: np.random.Generator) -> bytes:
    return content[:place] + rng.bytes(int(rng.integers(1, 40))) + content[place:]


def _cut(content: bytes, _place: int, _: Sequence[bytes], rng: np.random.Generator) -> bytes:
    return content[: int(rng.integers(len(content) + 1))]


def _spliced(content: bytes, place: int, contents: Sequence[bytes], rng: np.random.Generator) -> bytes:
    """Goes on as another file does from there, which is of the same format more often than not."""
    kin = [other for other in contents if other[:2] == content[:2]]
    chosen = kin if kin and rng.random() < 0.8 else contents
    return content[:place] + chosen[int(rng.integers(len(chosen)))][place:]


# Flips come most often: they get deepest into a decoder.
_CHANGES: tuple[_Change, ...] = (_flip, _flip, _flip, _byte, _extreme, _deleted, _repeated, _inserted, _cut, _spliced)
