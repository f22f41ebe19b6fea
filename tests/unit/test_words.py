"""What users read says step and batch of images: the house's own words stay in code and in docs/ARCHITECTURE.md."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Names of places and keys are no words: wave=00012, wave-images, rooms.score, "%(room)s", a JPEG's marker 0xd9.
HOUSE = re.compile(r"(?<![\w.(/'`])(rooms?|waves?|snapshots?|recipes?|markers?|leases?)\b(?![./-]| 0x|=0)")
DOCUMENTS = ("README.md", *(f"docs/{name}.md" for name in ("DATA", "USAGE", "RESULTS", "PREDICT", "APP", "LIBRARY")))


def said(file):
    """The texts of a module that are sentences, but for its documentation."""
    nodes = list(ast.walk(ast.parse(file.read_text())))
    documentation = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    texts = (node for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return [node.value for node in texts if id(node) not in documentation and " " in node.value]


@pytest.mark.parametrize("folder", sorted({file.parent for file in (ROOT / "src").rglob("*.py")}), ids=lambda f: f.name)
def test_messages_and_help_have_no_words_of_the_house(folder):
    found = [text for file in folder.glob("*.py") for text in said(file) if HOUSE.search(text)]
    assert found == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_documents_for_users_have_no_words_of_the_house(document):
    lines = (ROOT / document).read_text().splitlines()
    assert [line for line in lines if HOUSE.search(re.sub(r"`[^`]*`|\"wave\"", "", line))] == []


def test_a_word_of_the_house_is_seen():
    assert all(HOUSE.search(text) for text in ("finished room=%s", "the marker of 00001", "an older snapshot"))
    assert not any(map(HOUSE.search, ("features/wave=00001/x", "--wave-images 3", "rooms.score.drift")))
