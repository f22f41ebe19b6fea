"""A crash or a hang costs one image; a bug is no bad image; nothing is left behind."""

import gc
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fruits_pipeline.errors import SettingsError
from fruits_pipeline.features.takeover import RETRYABLE
from fruits_pipeline.images import isolation
from fruits_pipeline.images.decode import Decoded, Rejected, decode
from fruits_pipeline.images.isolation import IsolatedDecoder
from fruits_pipeline.images.reason import Reason

SIZE, MAX_PIXELS = 8, 10_000
PATIENT_S = 30.0


def obey(content: bytes, image_size: int, max_pixels: int) -> Decoded | Rejected:
    """Runs in the child: does what the content says."""
    if content in {b"segfault", b"killed"}:
        os.kill(os.getpid(), signal.SIGKILL if content == b"killed" else signal.SIGSEGV)
    if content == b"abort":
        os.abort()
    if content == b"exit":
        os._exit(3)
    if content == b"memory":
        raise MemoryError
    if content == b"deaf":
        os.closerange(3, 1 << 20)  # the link has a high number where many files are open
        time.sleep(60)
    if content == b"hang":
        while True:
            time.sleep(0.01)
    if content == b"bug":
        raise ZeroDivisionError("a bug of ours")
    if content == b"print":
        print("to standard output", flush=True)  # noqa: T201 because this output is what must go nowhere
    return Rejected(Reason.EMPTY, f"{os.getpid()} {image_size} {max_pixels}")


def pid(decoder: IsolatedDecoder) -> int:
    answer = decoder.decode(b"pid", SIZE, MAX_PIXELS)
    assert isinstance(answer, Rejected)
    return int(answer.detail.split()[0])


def is_gone(process: int) -> bool:
    """Neither running nor a zombie."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


def png(side: int = 20) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.arange(side * side * 3, dtype=np.uint8).reshape(side, side, 3)).save(stream, "PNG")
    return stream.getvalue()


def test_gives_what_decode_gives():
    with IsolatedDecoder(PATIENT_S) as decoder:
        for content in (png(), b"", b"text", png()[:-40], png(200)):
            found, expected = (f(content, SIZE, MAX_PIXELS) for f in (decoder.decode, decode))
            assert type(found) is type(expected)
            if isinstance(expected, Decoded):
                assert isinstance(found, Decoded)
                assert (found.width, found.height) == (expected.width, expected.height)
                assert found.pixels.flags.c_contiguous
                np.testing.assert_array_equal(found.pixels, expected.pixels)
            else:
                assert found == expected


def test_an_image_larger_than_the_sockets_buffers():
    stream = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (900, 900, 3), np.uint8)
    Image.fromarray(noise).save(stream, "BMP")
    with IsolatedDecoder(PATIENT_S) as decoder:
        found = decoder.decode(stream.getvalue(), 900, 1_000_000)
    assert isinstance(found, Decoded)
    np.testing.assert_array_equal(found.pixels, noise)


def test_a_child_that_was_started_ahead_decodes_the_first_image():
    with IsolatedDecoder(PATIENT_S, obey) as decoder:
        decoder.start()
        child = decoder._child
        decoder.start()
        assert pid(decoder) == child.pid
    with IsolatedDecoder(PATIENT_S) as decoder:
        decoder.start()
        child = decoder._child
    assert child.poll() is not None


def test_the_child_is_kept_while_it_is_healthy():
    with IsolatedDecoder(PATIENT_S, obey) as decoder:
        first = pid(decoder)
        assert first != os.getpid()
        assert pid(decoder) == first


@pytest.mark.parametrize(
    ("command", "words"),
    [(b"segfault", "SIGSEGV"), (b"abort", "SIGABRT"), (b"exit", "exit code 3"), (b"memory", "exit code 1")],
)
def test_a_crash_costs_one_image(command, words):
    with IsolatedDecoder(PATIENT_S, obey) as decoder:
        before = pid(decoder)
        found = decoder.decode(command, SIZE, MAX_PIXELS)
        assert found == Rejected(Reason.CRASHED, f"the decoder died: {words}")
        assert is_gone(before)
        assert pid(decoder) != before


def test_a_child_that_was_killed_says_nothing_of_the_image():
    with IsolatedDecoder(PATIENT_S, obey) as decoder:
        before = pid(decoder)
        found = decoder.decode(b"killed", SIZE, MAX_PIXELS)
        assert found == Rejected(Reason.KILLED, "the decoder died: SIGKILL")
        assert found.reason in RETRYABLE
        assert pid(decoder) != before


def test_a_child_that_we_kill_has_crashed(monkeypatch):
    monkeypatch.setattr(isolation, "_DEATH_LIMIT_S", 0.2)
    with IsolatedDecoder(PATIENT_S, obey) as decoder:
        before = pid(decoder)
        found = decoder.decode(b"deaf", SIZE, MAX_PIXELS)
        assert found == Rejected(Reason.CRASHED, "the decoder died: no exit code")
        assert is_gone(before)


def test_a_hang_costs_one_image_and_its_deadline():
    with IsolatedDecoder(1.5, obey) as decoder:
        before = pid(decoder)
        start_s = time.monotonic()
        assert decoder.decode(b"hang", SIZE, MAX_PIXELS) == Rejected(Reason.TIMEOUT, "not decoded within 1.5 s")
        assert 1.4 < time.monotonic() - start_s < 10
        assert is_gone(before)
        assert pid(decoder) != before


def test_a_child_that_takes_nothing_cannot_block_the_parent():
    with IsolatedDecoder(1.5, obey) as decoder:
        os.kill(pid(decoder), signal.SIGSTOP)
        found = decoder.decode(bytes(20_000_000), SIZE, MAX_PIXELS)
    assert isinstance(found, Rejected)
    assert found.reason is Reason.TIMEOUT


def test_a_child_killed_between_two_images_costs_none():
    with IsolatedDecoder(PATIENT_S, obey) as decoder:
        before = pid(decoder)
        os.kill(before, signal.SIGKILL)
        os.waitid(os.P_PID, before, os.WEXITED | os.WNOWAIT)
        assert pid(decoder) != before


def test_a_bug_is_raised_and_no_bad_image():
    with IsolatedDecoder(PATIENT_S, obey) as decoder:
        before = pid(decoder)
        with pytest.raises(ZeroDivisionError, match="a bug of ours") as caught:
            decoder.decode(b"bug", SIZE, MAX_PIXELS)
        assert pid(decoder) == before
    assert "in obey" in caught.value.__notes__[0]


def test_standard_output_is_left_alone(capfd):
    with IsolatedDecoder(PATIENT_S, obey) as decoder:
        assert decoder.decode(b"print", SIZE, MAX_PIXELS)
    assert capfd.readouterr().out == ""


def fail(decoder: IsolatedDecoder, error: type[BaseException]) -> None:
    with decoder:
        pid(decoder)
        raise error


@pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt])
def test_nothing_is_left_after_an_error(error):
    decoder = IsolatedDecoder(PATIENT_S, obey)
    child = pid(decoder)
    with pytest.raises(error):
        fail(decoder, error)
    assert is_gone(child)


def test_no_descriptor_is_left():
    def descriptors() -> int:
        return len(list(Path("/dev/fd").iterdir()))

    gc.collect()  # what earlier tests left must not be closed in between
    before = descriptors()
    with IsolatedDecoder(PATIENT_S, obey) as decoder:
        for command in (b"exit", b"segfault", b"fine"):
            decoder.decode(command, SIZE, MAX_PIXELS)
    assert descriptors() == before


@pytest.mark.parametrize("last", ["os._exit(0)", "os.kill(os.getpid(), 9)"])
def test_the_child_ends_with_its_parent(last):
    code = f"""
import os, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from fruits_pipeline.images.isolation import IsolatedDecoder
from test_isolation import obey, pid
print(pid(IsolatedDecoder(30.0, obey)), flush=True)
{last}
"""
    found = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60)
    child = int(found.stdout)
    until_s = time.monotonic() + 10
    while not is_gone(child) and not is_zombie(child) and time.monotonic() < until_s:
        time.sleep(0.02)
    assert is_gone(child) or is_zombie(child)


def is_zombie(process: int) -> bool:
    """Ended, but not taken leave of by whoever inherited it (a container may have nobody to do so)."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], check=False, capture_output=True, text=True)
    return state.stdout.strip().startswith("Z")


def test_a_child_that_cannot_start_is_an_error_and_no_bad_image(monkeypatch, capfd):
    monkeypatch.setattr(sys, "path", [])
    with IsolatedDecoder(PATIENT_S) as decoder, pytest.raises(SettingsError, match="exit code 1"):
        decoder.decode(png(), SIZE, MAX_PIXELS)
    assert "ModuleNotFoundError" in capfd.readouterr().err


def test_an_interpreter_that_is_not_there_is_an_error(monkeypatch):
    monkeypatch.setattr(sys, "executable", "no-such-python")
    with IsolatedDecoder(PATIENT_S) as decoder, pytest.raises(SettingsError, match="no-such-python"):
        decoder.decode(png(), SIZE, MAX_PIXELS)
