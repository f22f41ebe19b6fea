"""Each kind of file has the outcome of the table, in the code and in ``docs/IMAGES.md``."""

import re
from pathlib import Path

import pytest

from corpus.images import images
from corpus.others import phones
from corpus.table import OUTCOMES, READ
from fruits_pipeline.images.decode import Decoded, Rejected, decode
from fruits_pipeline.images.reason import Reason
from fruits_pipeline.settings.features import FeaturesSettings

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "IMAGES.md"
SIDE = 224
PHONES = [kind for kind in OUTCOMES if kind.startswith("HEIC")]


@pytest.fixture(scope="module")
def corpus() -> dict[str, bytes]:
    return images()


def outcome(content: bytes) -> str:
    found = decode(content, SIDE, FeaturesSettings().max_pixels)
    if isinstance(found, Rejected):
        assert 0 < len(found.detail) <= 160
        assert found.detail.isprintable()
        return found.reason.value
    assert isinstance(found, Decoded)
    assert found.pixels.shape == (SIDE, SIDE, 3)
    return READ


@pytest.mark.parametrize("kind", sorted(set(OUTCOMES) - set(PHONES)))
def test_each_kind_of_file_has_its_outcome(kind, corpus):
    assert outcome(corpus[kind]) == OUTCOMES[kind]


def test_heic_has_its_outcome():
    pytest.importorskip("pillow_heif")
    assert {kind: outcome(content) for kind, content in phones().items()} == {kind: OUTCOMES[kind] for kind in PHONES}


def test_the_table_has_every_kind_and_no_other(corpus):
    assert set(corpus) | set(PHONES) == set(OUTCOMES)
    assert len(OUTCOMES) >= 80
    assert set(OUTCOMES.values()) <= {READ, *(reason.value for reason in Reason)}


def test_the_corpus_is_the_same_in_every_run(corpus):
    assert images() == corpus


def test_the_document_has_the_same_table():
    text = DOCUMENT.read_text()
    table = text[text.index("| kind | outcome |") :]
    rows = re.findall(r"^\| (.+?) \| `?(\w+)`? \|$", table, re.MULTILINE)
    assert dict(rows[1:] if rows[0][0] == "kind" else rows) == OUTCOMES
    assert len(rows) - 1 == len(OUTCOMES)
