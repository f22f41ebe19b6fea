"""One suite for all platforms: what ``submit`` does when a control plane says yes, no, later, or nothing."""

import json
import re

import pytest

from clouds.adapter import Cloud, Fault, platforms
from fruits_pipeline.errors import JobError, StorageError, SubmissionError
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.submit.follow import Clock, Deadline, follow
from fruits_pipeline.submit.platform import Phase
from fruits_pipeline.submit.submission import dry_run

SUCCESS = {"fruits_pipeline": "0", "status": "succeeded", "exit_code": 0, "started": "2026-01-01T00:00:00Z"}


@pytest.fixture(params=sorted(platforms()))
def cloud(request):
    with platforms()[request.param]() as cloud:
        yield cloud


def _followed(cloud: Cloud, tmp_path, moves, deadline_s=3600.0):
    """Starts the job and follows it, while ``moves`` happen one at each pause."""
    platform = cloud.platform()
    started = platform.start()
    left, now = iter(moves), [0.0]

    def sleep(pause_s):
        now[0] += pause_s
        move = next(left, None)
        if move is not None:
            move(started.id)

    return follow(
        platform, started, open_store(str(tmp_path)), None, Deadline(deadline_s), Clock(lambda: now[0], sleep)
    )


def _ends(cloud, tmp_path, phase, record=None, detail=""):
    def end(started):
        if record is not None:
            (tmp_path / "run.json").write_text(json.dumps(record))
        cloud.move(started, phase, detail)

    return end


def test_a_job_is_pending_then_runs_then_succeeds(cloud):
    platform = cloud.platform()
    started = platform.start()
    assert not started.attached
    assert platform.state(started.id).phase is Phase.PENDING
    for phase in (Phase.RUNNING, Phase.SUCCEEDED):
        cloud.move(started.id, phase)
        assert platform.state(started.id).phase is phase


def test_success_gives_the_record_of_the_run(cloud, tmp_path):
    moves = [lambda job: cloud.move(job, Phase.RUNNING), _ends(cloud, tmp_path, Phase.SUCCEEDED, SUCCESS)]
    assert _followed(cloud, tmp_path, moves) == SUCCESS


def test_failure_ends_with_the_exit_code_of_the_run(cloud, tmp_path):
    record = SUCCESS | {"status": "failed", "exit_code": 3, "error": "expected images, found none"}
    with pytest.raises(JobError, match="expected images, found none") as raised:
        _followed(cloud, tmp_path, [_ends(cloud, tmp_path, Phase.FAILED, record)])
    assert raised.value.exit_code == 3


def test_failure_without_a_record_tells_the_platforms_reason_and_where_the_logs_are(cloud, tmp_path):
    with pytest.raises(JobError, match=r"lost its way.*\n.*logs: \S+") as raised:
        _followed(cloud, tmp_path, [_ends(cloud, tmp_path, Phase.FAILED, detail="lost its way")])
    assert raised.value.exit_code == StorageError.exit_code


def test_cancelling_ends_the_job_and_what_was_made_for_it(cloud):
    platform = cloud.platform()
    started = platform.start()
    cloud.move(started.id, Phase.RUNNING)
    platform.cancel(started.id)
    assert platform.state(started.id).phase is Phase.CANCELLED
    assert cloud.alive() == 0


def test_cancelling_what_has_ended_does_no_harm(cloud):
    platform = cloud.platform()
    started = platform.start()
    cloud.move(started.id, Phase.SUCCEEDED)
    platform.cancel(started.id)
    assert platform.state(started.id).phase is Phase.SUCCEEDED


def test_a_job_cancelled_by_somebody_else_ends_with_130(cloud, tmp_path):
    with pytest.raises(JobError) as raised:
        _followed(cloud, tmp_path, [lambda job: cloud.platform().cancel(job)])
    assert raised.value.exit_code == 130


def test_a_job_that_runs_into_the_deadline_is_cancelled(cloud, tmp_path):
    with pytest.raises(JobError, match="expected the end within 60 s") as raised:
        _followed(cloud, tmp_path, [lambda job: cloud.move(job, Phase.RUNNING)], deadline_s=60.0)
    assert raised.value.exit_code == StorageError.exit_code
    assert cloud.alive() == 0


def test_the_same_command_again_follows_the_job_that_is_active(cloud):
    first = cloud.platform().start()
    cloud.move(first.id, Phase.RUNNING)
    sent = cloud.sent()
    second = cloud.platform().start()
    assert (second.id, second.attached) == (first.id, True)
    assert cloud.sent() == sent


def test_an_active_job_is_found_without_starting_one(cloud):
    assert cloud.platform().active() is None
    started = cloud.platform().start()
    assert cloud.platform().active() == started.id
    cloud.move(started.id, Phase.FAILED)
    assert cloud.platform().active() is None
    assert len(cloud.sent()) == len(cloud.platform().requests())


def test_the_same_command_after_the_end_starts_anew(cloud):
    first = cloud.platform().start()
    cloud.move(first.id, Phase.FAILED)
    second = cloud.platform().start()
    assert second.id != first.id
    assert not second.attached
    assert cloud.platform().state(second.id).phase is Phase.PENDING


def test_what_is_sent_is_what_a_dry_run_prints(cloud):
    platform = cloud.platform()
    printed = platform.requests()
    platform.start()
    sent = cloud.sent()
    assert [request.operation for request in sent] == [request.operation for request in printed]
    for told, received in zip(printed, sent, strict=True):
        _same(told.body, received.body)


def _same(told, received):
    """Equal, where a placeholder stands for what only the platform could say."""
    if isinstance(told, str) and re.search(r"\$\{[A-Z_]+\}", told):
        assert isinstance(received, str)
        assert "${" not in received
    elif isinstance(told, dict):
        assert told.keys() == received.keys()
        for key, value in told.items():
            _same(value, received[key])
    elif isinstance(told, list):
        assert len(told) == len(received)
        for one, other in zip(told, received, strict=True):
            _same(one, other)
    else:
        assert told == received


def test_a_dry_run_sends_nothing(cloud):
    assert dry_run(cloud.platform()).startswith(("aws ", "gcloud "))
    assert cloud.sent() == []


def test_throttled_calls_are_tried_again(cloud):
    cloud.fail(Fault.THROTTLED, 2)
    started = cloud.platform().start()
    assert cloud.platform().state(started.id).phase is Phase.PENDING


FAULTS = {
    Fault.THROTTLED: "start the same command again",
    Fault.EXPIRED_CREDENTIALS: "renew",
    Fault.UNKNOWN_RELEASE: "--target",
    Fault.QUOTA: "quota",
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name.lower())
def test_a_refusal_says_what_to_do_and_leaves_nothing(cloud, fault):
    cloud.fail(fault, 100)
    with pytest.raises(SubmissionError, match=FAULTS[fault]):
        cloud.platform().start()
    assert cloud.alive() == 0


@pytest.mark.parametrize("fault", [Fault.THROTTLED, Fault.EXPIRED_CREDENTIALS], ids=lambda fault: fault.name.lower())
def test_a_platform_that_stops_answering_is_a_submission_error(cloud, fault):
    platform = cloud.platform()
    started = platform.start()
    cloud.fail(fault, 100)
    with pytest.raises(SubmissionError, match=FAULTS[fault]):
        platform.state(started.id)
