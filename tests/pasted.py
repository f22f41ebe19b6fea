"""Lines of a document, pasted into a shell in which the clouds' tools are functions that ask this process."""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

# As in a person's shell, a tool that asks (gcloud does, unless told not to) reads the next line that was pasted.
_TOOLS = """set -eu -o pipefail
_asked() {
  local said code
  printf '%s\\0' "$#" "$@" >&"$ASK"
  IFS= read -r -d '' -u "$ANSWER" code
  IFS= read -r -d '' -u "$ANSWER" said
  if ((code)); then printf '%s\\n' "$said" >&2; else printf '%s' "$said"; fi
  return "$code"
}
aws() { _asked aws "$@"; }
fruits-pipeline() { _asked fruits-pipeline "$@"; }
gcloud() {
  local line
  [[ " $* " == *" --quiet "* || -n "${CLOUDSDK_CORE_DISABLE_PROMPTS:-}" ]] || IFS= read -r line || true
  _asked gcloud "$@"
}
"""


class RefusedLineError(Exception):
    """When a tool ends with 1 and says this on stderr."""


def blocks(document: str, title: str) -> list[str]:
    """The shell blocks of a section, in order."""
    (section,) = re.findall(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", document, re.MULTILINE | re.DOTALL)
    return re.findall(r"^```bash\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


def paste(text: str, folder: Path, answer: Callable[[list[str]], str], **environment: str) -> str:
    """Runs ``text`` in ``folder`` line by line; each call of a tool prints what ``answer`` gives for its words.

    Scripts that the lines start have the same tools.

    Returns:
        What was said on stderr.

    Raises:
        AssertionError: When a line fails.
    """
    tools = folder / ".tools"
    tools.write_text(_TOOLS)
    asked, ask = os.pipe()
    told, tell = os.pipe()
    own = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "ASK": str(ask),
        "ANSWER": str(told),
        "BASH_ENV": str(tools),
    }
    with subprocess.Popen(
        ["bash"],
        cwd=folder,
        env=own | environment,
        pass_fds=(ask, told),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as shell:
        os.close(ask)
        os.close(told)
        assert shell.stdin is not None
        shell.stdin.write(text)
        shell.stdin.close()
        with os.fdopen(asked, "rb") as questions, os.fdopen(tell, "wb") as answers:
            for words in _calls(questions):
                answers.write(_answered(answer, words))
                answers.flush()
        assert shell.stderr is not None
        said = shell.stderr.read()
    assert shell.returncode == 0, said
    return said


def _answered(answer: Callable[[list[str]], str], words: list[str]) -> bytes:
    """The exit code and the words, each before a zero byte."""
    try:
        return f"0\0{answer(words)}\0".encode()
    except RefusedLineError as refused:
        return f"1\0{refused}\0".encode()


def _calls(questions: BinaryIO) -> Iterator[list[str]]:
    while (count := _word(questions)) is not None:
        yield [_word(questions) or "" for _ in range(int(count))]


def _word(questions: BinaryIO) -> str | None:
    """What stands before the next zero byte; None at the end."""
    found = bytearray()
    while (byte := questions.read(1)) not in {b"\0", b""}:
        found += byte
    return found.decode() if byte else None
