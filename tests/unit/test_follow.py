import json
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from fruits_pipeline.errors import JobError
from fruits_pipeline.state.record import load_record
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.submit.follow import Clock, Deadline, follow
from fruits_pipeline.submit.platform import Phase, Started, State


@dataclass
class Scripted:
    """A platform whose states were written down; ``at_end`` is called before it tells of the last one."""

    states: list
    at_end: object = None
    name: str = "scripted"
    cancelled: list = field(default_factory=list)

    def state(self, started):  # noqa: ARG002 because it follows one script
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if isinstance(state, BaseException):
            raise state
        if state.phase.ended and self.at_end:
            self.at_end()
        return state

    def cancel(self, started):
        self.cancelled.append(started)
        self.states = [State(Phase.CANCELLED, "as asked")]

    def logs(self, started):
        return f"logs of {started}"


class Time:
    def __init__(self):
        self.now_s, self.pauses = 0.0, []

    def clock(self):
        return Clock(lambda: self.now_s, self.sleep)

    def sleep(self, seconds):
        self.pauses.append(seconds)
        self.now_s += seconds


@pytest.fixture
def output(tmp_path):
    return open_store(str(tmp_path))


def recorded(tmp_path, code, started="2026-02-01T00:00:00+00:00", error=None):
    content = {"fruits_pipeline": "0", "started": started, "exit_code": code, "error": error}
    (tmp_path / "run.json").write_text(json.dumps(content))


PENDING, RUNNING = State(Phase.PENDING), State(Phase.RUNNING)


def test_success_gives_the_record_of_this_run(tmp_path, output):
    time = Time()
    recorded(tmp_path, 0, "2026-01-01T00:00:00+00:00")
    platform = Scripted([PENDING, RUNNING, RUNNING, State(Phase.SUCCEEDED)], lambda: recorded(tmp_path, 0))
    assert follow(platform, Started("j"), output, load_record(output), Deadline(600), time.clock())[
        "started"
    ].startswith("2026-02")
    assert time.pauses == [5, 7.5, 11.25]


@pytest.mark.parametrize(
    ("phase", "code", "expected", "told"),
    [
        (Phase.FAILED, 3, 3, "too many rejects"),
        (Phase.FAILED, 0, 7, "although its run.json states success: out of memory"),
        (Phase.FAILED, None, 7, "without a run.json of its own: out of memory"),
        (Phase.SUCCEEDED, None, 7, "without a run.json"),
        (Phase.SUCCEEDED, 5, 5, "ended with 5"),
        (Phase.CANCELLED, None, 130, "cancelled on scripted"),
    ],
)
def test_the_exit_code_is_the_jobs_own_where_it_wrote_one(tmp_path, output, phase, code, expected, told):
    recorded(tmp_path, 0, "2026-01-01T00:00:00+00:00")  # of a run before, which must not speak for this one
    write = (lambda: recorded(tmp_path, code, error="too many rejects")) if code is not None else None
    platform = Scripted([RUNNING, State(phase, "out of memory")], write)
    with pytest.raises(JobError, match=told) as failed:
        follow(platform, Started("j"), output, load_record(output), Deadline(600), Time().clock())
    assert failed.value.exit_code == expected
    assert "logs of j" in str(failed.value)


def test_a_run_that_was_refused_before_it_began_has_a_note_in_the_record_before_it(tmp_path, output):
    recorded(tmp_path, 0)
    before = load_record(output)
    note = {"started": "2026-03-01T00:00:00+00:00", "exit_code": 5, "error": "DatasetError: other settings"}
    refuse = lambda: (tmp_path / "run.json").write_text(json.dumps({**before, "refused": note}))  # noqa: E731 because it is one line
    platform = Scripted([RUNNING, State(Phase.FAILED)], refuse)
    with pytest.raises(JobError, match="ended with 5: DatasetError: other settings") as failed:
        follow(platform, Started("j"), output, before, Deadline(600), Time().clock())
    assert failed.value.exit_code == 5
    platform = Scripted([State(Phase.FAILED)])
    with pytest.raises(JobError, match="of its own") as failed:
        follow(platform, Started("j"), output, load_record(output), Deadline(600), Time().clock())
    assert failed.value.exit_code == 7


def test_a_job_that_was_at_work_when_it_was_found_is_told_by_its_own_record(tmp_path, output):
    recorded(tmp_path, None)
    before = load_record(output)
    platform = Scripted([RUNNING, State(Phase.SUCCEEDED)], lambda: recorded(tmp_path, 0))
    assert (
        follow(platform, Started("j", attached=True), output, before, Deadline(600), Time().clock())["exit_code"] == 0
    )


def test_a_driver_that_was_killed_leaves_a_record_that_says_nothing_of_its_end(tmp_path, output):
    platform = Scripted([RUNNING, State(Phase.FAILED, "out of memory")], lambda: recorded(tmp_path, None))
    with pytest.raises(JobError, match=r"without a run\.json of its own: out of memory") as failed:
        follow(platform, Started("j"), output, None, Deadline(600), Time().clock())
    assert failed.value.exit_code == 7


def test_the_deadline_cancels(output):
    platform, time = Scripted([RUNNING]), Time()
    with pytest.raises(JobError, match="within 100 s") as failed:
        follow(platform, Started("j"), output, None, Deadline(100), time.clock())
    assert (failed.value.exit_code, platform.cancelled, time.now_s) == (7, ["j"], 100)


def test_a_job_that_succeeds_while_the_deadline_cancels_it_has_succeeded(tmp_path, output):
    recorded(tmp_path, 0, "2026-01-01T00:00:00+00:00")
    platform, time = Scripted([RUNNING]), Time()

    def cancel(started):
        platform.cancelled.append(started)
        recorded(tmp_path, 0)
        platform.states = [State(Phase.SUCCEEDED)]

    platform.cancel = cancel
    found = follow(platform, Started("j"), output, load_record(output), Deadline(100), time.clock())
    assert (found["started"][:7], platform.cancelled) == ("2026-02", ["j"])


@pytest.mark.parametrize(
    ("stop", "stdin", "code"),
    [
        (KeyboardInterrupt(), None, 130),
        (KeyboardInterrupt(), SimpleNamespace(isatty=lambda: False), 130),
        (SystemExit(143), SimpleNamespace(isatty=lambda: True), 143),
    ],
)
def test_without_a_person_an_interrupt_cancels(output, stop, stdin, code, monkeypatch):
    monkeypatch.setattr("sys.stdin", stdin)
    monkeypatch.setattr("builtins.input", lambda _: pytest.fail("it asked"))
    platform = Scripted([RUNNING, stop])
    with pytest.raises(JobError) as failed:
        follow(platform, Started("j"), output, load_record(output), Deadline(600), Time().clock())
    assert (failed.value.exit_code, platform.cancelled) == (code, ["j"])


@pytest.mark.parametrize(("answer", "cancelled"), [("", ["j"]), ("y", ["j"]), ("n", []), (KeyboardInterrupt, ["j"])])
def test_a_person_is_asked_once(output, answer, cancelled, monkeypatch):
    asked = []

    def reply(question):
        asked.append(question)
        if isinstance(answer, str):
            return answer
        raise answer

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", reply)
    platform = Scripted([KeyboardInterrupt(), RUNNING])
    with pytest.raises(JobError) as failed:
        follow(platform, Started("j"), output, load_record(output), Deadline(600), Time().clock())
    assert (failed.value.exit_code, platform.cancelled, len(asked)) == (130, cancelled, 1)


def test_a_second_interrupt_while_cancelling_says_that_the_job_may_run_on(output, monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    platform = Scripted([KeyboardInterrupt(), RUNNING])

    def interrupted(_started):
        raise KeyboardInterrupt

    platform.cancel = interrupted
    with pytest.raises(JobError, match="may run on, and the same command follows it") as failed:
        follow(platform, Started("j"), output, None, Deadline(600), Time().clock())
    assert failed.value.exit_code == 130
