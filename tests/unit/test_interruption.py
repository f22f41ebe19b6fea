"""How SIGINT and SIGTERM end a process; each test interrupts a process of its own."""

import signal
import subprocess
import sys
import textwrap
import time

import pytest

from fruits_pipeline.errors import Interrupted, StorageError, exit_code
from fruits_pipeline.session.interrupt import interruptible

FRAME = """
import hashlib, logging, sys, threading, time
from pathlib import Path
from fruits_pipeline.session.interrupt import interruptible
with interruptible():
    print("begun", flush=True)
{work}
"""


class Child:
    """A process that does ``work`` in an ``interruptible`` block, and waits there for a signal."""

    def __init__(self, work: str, folder) -> None:
        code = FRAME.format(work=textwrap.indent(textwrap.dedent(work), "    "))
        self.process = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder
        )
        assert self.process.stdout.readline() == "begun\n"
        time.sleep(0.1)

    def ended(self) -> tuple[int, str, str]:
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out, err


@pytest.fixture
def child(tmp_path):
    def start(work):
        children.append(Child(work, tmp_path))
        return children[-1]

    children = []
    yield start
    for started in children:
        started.process.kill()


LINE = "interrupted: the same command resumes\n"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_block_unwinds_and_one_line_is_written(child, golden, number, code):
    started = child("""
        try:
            time.sleep(60)
        finally:
            print("unwound")
            print("Traceback", file=sys.stderr)
            logging.getLogger("py4j").error("noise")
    """)
    started.process.send_signal(number)
    ended = started.ended()
    assert ended[:2] == (code, "unwound\n")
    golden("interrupted", ended[2])


@pytest.mark.parametrize("last", ["raise OSError('while unwinding')", "sys.exit(0)", "1 / 0"])
def test_whatever_leaves_the_block_it_ends_as_interrupted(child, last):
    started = child(f"""
        try:
            time.sleep(60)
        finally:
            {last}
    """)
    started.process.send_signal(signal.SIGINT)
    assert started.ended() == (130, "", LINE)


def test_threads_do_not_hold_the_process(child):
    started = child("""
        threading.Thread(target=time.sleep, args=(60,)).start()
        time.sleep(60)
    """)
    began_s = time.monotonic()
    started.process.send_signal(signal.SIGINT)
    assert started.ended() == (130, "", LINE)
    assert time.monotonic() - began_s < 3


def test_a_native_call_that_sees_no_signal_ends_with_the_process_at_the_deadline(child):
    started = child("hashlib.pbkdf2_hmac('sha256', b'', b'', 2_000_000_000)")
    began_s = time.monotonic()
    started.process.send_signal(signal.SIGINT)
    assert started.ended() == (130, "", LINE)
    assert 3 < time.monotonic() - began_s < 8


def test_an_interruption_that_was_swallowed_is_raised_again_before_a_jvm_starts(child):
    started = child("""
        from fruits_pipeline.session.interrupt import raise_if_interrupted
        raise_if_interrupted()
        try:
            time.sleep(60)
        except:
            pass
        raise_if_interrupted()
        print("went on", flush=True)
    """)
    started.process.send_signal(signal.SIGTERM)
    assert started.ended() == (143, "", LINE)


UNWINDING = """
    try:
        time.sleep(60)
    finally:
        time.sleep(1)
        Path("unwound").touch()
"""


def test_a_second_signal_ends_at_once(child, tmp_path):
    started = child(UNWINDING)
    started.process.send_signal(signal.SIGINT)
    time.sleep(0.6)
    started.process.send_signal(signal.SIGINT)
    assert started.ended() == (130, "", LINE)
    assert not (tmp_path / "unwound").exists()


def test_a_signal_that_a_supervisor_sends_twice_counts_once(child, tmp_path):
    started = child(UNWINDING)
    for _ in range(2):
        started.process.send_signal(signal.SIGTERM)
        time.sleep(0.02)
    assert started.ended() == (143, "", LINE)
    assert (tmp_path / "unwound").exists()


def test_without_a_signal_the_former_handlers_come_back():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with interruptible():
        assert signal.getsignal(signal.SIGTERM) != before[1]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    assert signal.set_wakeup_fd(-1) == -1


def raised_while(handled: BaseException, error: BaseException) -> BaseException:
    try:
        try:
            raise handled
        finally:
            raise error
    except BaseException as ended:  # noqa: BLE001 because the test is about what comes out
        return ended


@pytest.mark.parametrize("error", [StorageError("lost"), OSError("closed"), ValueError("stale")])
def test_an_error_that_took_the_place_of_an_interruption_has_its_exit_code(error):
    assert exit_code(raised_while(Interrupted(signal.SIGTERM), error)) == 143
    assert exit_code(raised_while(KeyError("a"), StorageError("lost"))) == 7


def test_an_interruption_says_which_signal_it_was():
    assert str(Interrupted(signal.SIGINT)) == "by SIGINT"
