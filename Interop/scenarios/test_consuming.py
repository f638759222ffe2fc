"""What becomes of deliveries whose channel is lost, and of tasks that are due later.

These tests have a broker of their own, whose connections they cut. The worker is the one of examples/demo: it has a task that is
acknowledged late, and settings of its own.
"""
import datetime
import time

import pytest

import harness
from harness import PATIENCE, Wire, eventually, unique
from test_faults import ThrowAwayWire

pytestmark = pytest.mark.beyond_celery


@pytest.fixture
def wire(broker):
    wire = ThrowAwayWire(broker.url)
    yield wire
    wire.close()


@pytest.fixture
def start(start_swift):
    if not harness.EXAMPLE_WORKER:
        pytest.skip("SWCELERY_EXAMPLE_WORKER names no executable")
    return lambda **options: start_swift(executable=harness.EXAMPLE_WORKER, **options)


def eta_in(seconds):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).isoformat()


def all_results(url, queue, count, timeout=PATIENCE):
    """Every result of the queue, at least `count` of them; waits a little for surplus ones."""
    wire = Wire(url)
    try:
        eventually(lambda: wire.ready(queue) >= count, timeout, f"{count} results in {queue}")
        time.sleep(1)
        return [wire.result(queue) for _ in range(wire.ready(queue))]
    finally:
        wire.close()


def messages(broker, queue):
    """Messages of a queue, waiting and unacknowledged."""
    for line in broker.control("list_queues", "-q", "--no-table-headers", "name", "messages").splitlines():
        name, _, count = line.partition("\t")
        if name == queue:
            return int(count)
    raise AssertionError(f"no queue {queue}")


def wait_until_empty(broker, queue):
    eventually(lambda: messages(broker, queue) == 0, PATIENCE, f"{queue} is empty", interval=0.5)


def test_copy_of_a_running_task_is_held(broker, wire, start):
    """One run, one result, one acknowledgement, although the broker delivers the message three times."""
    worker = start(concurrency=2)
    replies = wire.declare()
    task = wire.publish_task(worker.queue, "example.late", (30.0,), reply_to=replies)
    worker.wait_for_log(rf"\[{task}\] received")
    for count in (2, 3):
        time.sleep(0.5)
        broker.close_connections()
        eventually(lambda: worker.log_text.count(f"[{task}] received") >= count, PATIENCE, "the message comes again")
    results = all_results(broker.url, replies, 1)
    assert [result["status"] for result in results] == ["SUCCESS"]
    assert worker.log_text.count(f"[{task}] succeeded") == 1
    worker.wait_for_log(rf"\[{task}\] has run already")
    wait_until_empty(broker, worker.queue)
    assert worker.stop() == 0


def test_run_that_ends_while_the_broker_is_away(broker, wire, start):
    """Its message comes again after its end: it is acknowledged, and does not run."""
    worker = start(concurrency=2)
    replies = wire.declare()
    task = wire.publish_task(worker.queue, "example.late", (30.0,), reply_to=replies)
    worker.wait_for_log(rf"\[{task}\] received")
    broker.control("stop_app")
    assert f"[{task}] succeeded" not in worker.log_text, "the broker was too slow to stop"
    worker.wait_for_log(rf"\[{task}\] succeeded", PATIENCE)
    broker.control("start_app")
    results = all_results(broker.url, replies, 1)
    assert [result["status"] for result in results] == ["SUCCESS"]
    worker.wait_for_log(rf"\[{task}\] has run already", PATIENCE)
    wait_until_empty(broker, worker.queue)
    assert worker.log_text.count(f"[{task}] succeeded") == 1
    assert worker.stop() == 0


def test_late_task_is_cancelled_with_its_connection(broker, wire, start, monkeypatch):
    """`worker_cancel_long_running_tasks_on_connection_loss`: the state RETRY, as Celery sends it, and a second run."""
    monkeypatch.setenv("EXAMPLE_CANCEL_ON_LOSS", "1")
    worker = start(concurrency=2)
    replies = wire.declare()
    task = wire.publish_task(worker.queue, "example.late", (12.0,), reply_to=replies)
    worker.wait_for_log(rf"\[{task}\] received")
    time.sleep(0.5)
    broker.close_connections()
    results = all_results(broker.url, replies, 2)
    assert [result["status"] for result in results] == ["RETRY", "SUCCESS"]
    assert results[0]["result"] == {
        "exc_type": "Retry", "exc_message": ["Retry(Retry(...), None, None)", None, None], "exc_module": "celery.exceptions",
    }
    assert "cannot be acknowledged after a connection loss" in worker.log_text
    assert worker.log_text.count(f"[{task}] succeeded") == 1
    wait_until_empty(broker, worker.queue)
    assert worker.stop() == 0


def test_queue_is_deleted_while_its_task_runs(broker, wire, start):
    """The broker cancels the consumer; the run goes on, its late settlement is void, and the new queue is consumed."""
    worker = start(concurrency=2)
    replies = wire.declare()
    task = wire.publish_task(worker.queue, "example.late", (2.0,), reply_to=replies)
    worker.wait_for_log(rf"\[{task}\] received")
    wire.channel.queue_delete(worker.queue)
    broker.wait_for_consumer(worker.queue)
    assert [result["status"] for result in all_results(broker.url, replies, 1)] == ["SUCCESS"]
    other = wire.publish_task(worker.queue, "example.greet", ("you",), reply_to=replies)
    assert wire.final_result(replies, other)["result"] == "Hello, you!"
    assert worker.stop() == 0


@pytest.mark.parametrize("kind", ["classic", "quorum"])
def test_hand_over_to_the_ladder(broker, wire, start, monkeypatch, kind):
    """What is due later than the hold limit waits in the broker and comes back to its queue, whatever its exchange."""
    monkeypatch.setenv("EXAMPLE_HOLD_LIMIT", "3")
    queue = wire.declare(unique("later"), **{"x-queue-type": kind})
    other = wire.declare(unique("later"), **{"x-queue-type": kind})
    worker = start(queues=[queue, other], concurrency=1)
    replies = wire.declare()
    ladder = [f"celery_delayed_{level}" for level in range(28)]
    delay = 25
    begin = time.monotonic()
    tasks = {wire.publish_task(queue, "example.greet", (name,), reply_to=replies, headers={"eta": eta_in(delay), "tenant": "x"}) for name in "abc"}
    eventually(lambda: sum(wire.ready(level) for level in ladder) == 3, PATIENCE, "the ladder holds them")
    now = wire.publish_task(queue, "example.request", (), reply_to=replies)
    assert wire.result(replies)["task_id"] == now
    wait_until_empty(broker, queue)
    assert time.monotonic() - begin < delay, "the worker kept them until they were due"
    results = [wire.result(replies, timeout=PATIENCE) for _ in tasks]
    assert time.monotonic() - begin >= delay - 0.1
    assert {result["task_id"] for result in results} == tasks
    assert sorted(result["result"] for result in results) == ["Hello, a!", "Hello, b!", "Hello, c!"]
    wait_until_empty(broker, queue)
    assert messages(broker, other) == 0
    assert worker.stop() == 0


def test_task_for_now_behind_tasks_for_later(broker, wire, start):
    """One slot, a prefetch of four, and hundreds of held tasks in front."""
    worker = start(concurrency=1)
    replies = wire.declare()
    for _ in range(500):
        wire.publish_task(worker.queue, "example.greet", ("later",), headers={"eta": eta_in(600)})
    eventually(lambda: wire.ready(worker.queue) == 0, PATIENCE, "the worker holds them")
    begin = time.monotonic()
    task = wire.publish_task(worker.queue, "example.greet", ("now",), reply_to=replies)
    assert wire.final_result(replies, task)["result"] == "Hello, now!"
    assert time.monotonic() - begin < 2
    assert worker.stop() == 0
    assert messages(broker, worker.queue) == 500, "all of them go back"
