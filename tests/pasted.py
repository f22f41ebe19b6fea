"""Lines of a document, pasted into a shell in which the clouds' tools are functions that ask this process."""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

TOOLS = ("aws", "gcloud", "fruits-pipeline")
_SHELL = """set -eu -o pipefail
_asked() { printf '%s\\0' "$#" "$@" >&"$ASK"; local told; IFS= read -r -d '' -u "$ANSWER" told; printf '%s' "$told"; }
"""


def blocks(document: str, title: str) -> list[str]:
    """The shell blocks of a section, in order."""
    (section,) = re.findall(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", document, re.MULTILINE | re.DOTALL)
    return re.findall(r"^```bash\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


def paste(text: str, folder: Path, answer: Callable[[list[str]], str]) -> None:
    """Runs ``text`` in ``folder``; each call of a tool prints what ``answer`` gives for its words.

    Raises:
        AssertionError: When a line fails.
    """
    functions = "".join(f'{tool}() {{ _asked {tool} "$@"; }}\n' for tool in TOOLS)
    asked, ask = os.pipe()
    told, tell = os.pipe()
    with subprocess.Popen(
        ["bash", "-c", _SHELL + functions + text],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "ASK": str(ask), "ANSWER": str(told)},
        pass_fds=(ask, told),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as shell:
        os.close(ask)
        os.close(told)
        with os.fdopen(asked, "rb") as questions, os.fdopen(tell, "wb") as answers:
            for words in _calls(questions):
                answers.write(answer(words).encode() + b"\0")
                answers.flush()
        _, said = shell.communicate(timeout=60)
    assert shell.returncode == 0, said


def _calls(questions: BinaryIO) -> Iterator[list[str]]:
    while (count := _word(questions)) is not None:
        yield [_word(questions) or "" for _ in range(int(count))]


def _word(questions: BinaryIO) -> str | None:
    """What stands before the next zero byte; None at the end."""
    found = bytearray()
    while (byte := questions.read(1)) not in {b"\0", b""}:
        found += byte
    return found.decode() if byte else None
