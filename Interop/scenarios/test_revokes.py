"""Revokes: tasks that are not to start any more, or to end."""
import time
import uuid

import pytest

from governed import govern, start  # noqa: F401
from harness import eventually
from test_rate_limits import time_in


def assert_revoked(result, reason="revoked"):
    assert result["status"] == "REVOKED"
    assert result["result"] == {"exc_type": "TaskRevokedError", "exc_message": [reason], "exc_module": "celery.exceptions"}
    assert result["traceback"] is None


def wait_for_revoke(worker):
    """Celery's workers hear of a revoke over the broker."""
    worker.wait_for_log("flagged as revoked|Terminating")


def test_a_task_that_comes_after_its_revoke(wire, start):  # noqa: F811
    worker = start(concurrency=2)
    replies = wire.declare()
    task = str(uuid.uuid4())
    govern(wire, worker, "revoke", [task], False)
    wait_for_revoke(worker)
    wire.publish_task(worker.queue, "demo.add", (1, 2), task_id=task, reply_to=replies)
    assert_revoked(wire.final_result(replies, task))
    worker.wait_for_log(rf"Discarding revoked task: demo\.add\[{task}\]")
    assert worker.stop() == 0
    assert wire.ready(worker.queue) == 0


def test_a_task_that_waits_for_its_time(wire, start):  # noqa: F811
    worker = start(concurrency=2)
    replies = wire.declare()
    task = wire.publish_task(worker.queue, "demo.add", (1, 2), reply_to=replies, headers={"eta": time_in(3)})
    worker.wait_for_log(rf"\[{task}\] received")
    govern(wire, worker, "revoke", [task], False)
    assert_revoked(wire.final_result(replies, task))
    assert worker.stop() == 0
    assert wire.ready(worker.queue) == 0


def test_a_task_that_runs_already(wire, start):  # noqa: F811
    worker = start(concurrency=2)
    replies = wire.declare()
    task = wire.publish_task(worker.queue, "demo.sleep", (2.0,), reply_to=replies)
    worker.wait_for_log(rf"\[{task}\] received")
    govern(wire, worker, "revoke", [task], False)
    wait_for_revoke(worker)
    assert wire.final_result(replies, task)["result"] == 2.0


def test_stamps(wire, start):  # noqa: F811
    """A stamp that is a list counts if any of its elements is revoked."""
    worker = start(concurrency=2)
    replies = wire.declare()
    govern(wire, worker, "revoke_stamped", "batch", ["b1"])
    time.sleep(1)

    def send(stamp):
        headers = {"stamped_headers": ["batch"], "stamps": {"batch": stamp}}
        return wire.publish_task(worker.queue, "demo.add", (1, 2), reply_to=replies, headers=headers)

    assert_revoked(wire.final_result(replies, send("b1")))
    assert_revoked(wire.final_result(replies, send(["b0", "b1"])))
    assert wire.final_result(replies, send("b2"))["result"] == 3
    assert wire.final_result(replies, send(["b0", "b2"]))["result"] == 3
    assert worker.log_text.count("(revoked by header: {'batch': 'b1'})") == 2


def test_an_expired_task_that_is_revoked_has_expired(wire, start):  # noqa: F811
    worker = start(concurrency=2)
    replies = wire.declare()
    task = str(uuid.uuid4())
    govern(wire, worker, "revoke", [task], False)
    wait_for_revoke(worker)
    wire.publish_task(worker.queue, "demo.add", (1, 2), task_id=task, reply_to=replies, headers={"expires": time_in(-60)})
    assert_revoked(wire.final_result(replies, task), "expired")


def test_revokes_outlive_the_worker(wire, start, tmp_path):  # noqa: F811
    file = ["--statedb", str(tmp_path / "worker.state")]
    worker = start(concurrency=2, arguments=file)
    replies = wire.declare()
    task = str(uuid.uuid4())
    govern(wire, worker, "revoke", [task], False)
    wait_for_revoke(worker)
    assert worker.stop() == 0
    again = start(queues=worker.queues, concurrency=2, arguments=file)
    wire.publish_task(again.queue, "demo.add", (1, 2), task_id=task, reply_to=replies)
    assert_revoked(wire.final_result(replies, task))


@pytest.mark.beyond_celery
def test_a_running_task_is_ended(wire, start):  # noqa: F811
    """Celery's pool of threads cannot."""
    worker = start(concurrency=2)
    replies = wire.declare()
    task = wire.publish_task(worker.queue, "demo.sleep", (600,), reply_to=replies)
    worker.wait_for_log(rf"\[{task}\] received")
    eventually(lambda: govern(wire, worker, "revoke", [task], True) == 1)
    assert_revoked(wire.final_result(replies, task), "terminated")
    assert worker.stop() == 0


@pytest.mark.beyond_celery
def test_a_damaged_state_file_is_set_aside(wire, start, tmp_path):  # noqa: F811
    file = tmp_path / "worker.state"
    file.write_bytes(b"\x80garbage")
    worker = start(concurrency=2, arguments=["--statedb", str(file)])
    worker.wait_for_log("state cannot be read")
    assert (tmp_path / "worker.state.damaged").read_bytes() == b"\x80garbage"
    govern(wire, worker, "revoke", ["the-id"], False)
    assert worker.stop() == 0
    assert "the-id" in file.read_text()
