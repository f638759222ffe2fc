"""Rate limits: how often tasks of one type start, and what becomes of those that have to wait."""
import datetime
import time

import pytest

from governed import govern, start  # noqa: F401
from harness import eventually


def time_in(seconds):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).isoformat()


def send(wire, worker, replies, count, task="governed.five_a_second", **headers):
    return [wire.publish_task(worker.queue, task, reply_to=replies, headers=headers) for _ in range(count)]


def final_results(wire, replies, count):
    """As many results as they came, by the ids of their tasks."""
    found = [wire.result(replies) for _ in range(count)]
    return {result["task_id"]: result for result in found}


def assert_pace(results, per_second):
    times = sorted(result["result"] for result in results)
    # What the first task may have been late by.
    assert times[-1] - times[0] >= (len(times) - 1) / per_second - 0.15


def test_tasks_start_at_the_rate(wire, start):  # noqa: F811
    worker = start(concurrency=4)
    replies = wire.declare()
    tasks = send(wire, worker, replies, 11)
    results = final_results(wire, replies, 11)
    assert set(results) == set(tasks)
    assert all(result["status"] == "SUCCESS" for result in results.values())
    assert_pace(results.values(), 5)


def test_the_limit_counts_when_the_time_of_a_task_has_come(wire, start):  # noqa: F811
    worker = start(concurrency=4)
    replies = wire.declare()
    eta = time_in(1.5)
    begin = time.time()
    tasks = send(wire, worker, replies, 6, eta=eta)
    results = final_results(wire, replies, 6)
    assert set(results) == set(tasks)
    assert_pace(results.values(), 5)
    assert min(result["result"] for result in results.values()) >= begin + 1.4


def test_what_has_expired_meanwhile_is_discarded(wire, start):  # noqa: F811
    worker = start(concurrency=4)
    replies = wire.declare()
    tasks = send(wire, worker, replies, 12, expires=time_in(1))
    results = final_results(wire, replies, 12)
    assert set(results) == set(tasks)
    ran = [result for result in results.values() if result["status"] == "SUCCESS"]
    assert 1 <= len(ran) <= 7
    assert all(result["result"]["exc_message"] == ["expired"] for result in results.values() if result not in ran)
    eventually(lambda: wire.ready(worker.queue) == 0)


def test_a_shutdown_gives_back_what_waits(wire, start):  # noqa: F811
    worker = start(concurrency=2)
    replies = wire.declare()
    send(wire, worker, replies, 20, task="governed.one_an_hour")
    assert wire.result(replies)["status"] == "SUCCESS"
    time.sleep(1)
    assert worker.stop() == 0
    eventually(lambda: wire.ready(worker.queue) == 19, what="the others are back")


@pytest.mark.beyond_celery
def test_others_do_not_wait_behind_them(wire, start):  # noqa: F811
    """Of Celery's worker they would hold all of the prefetch credit."""
    worker = start(concurrency=1, arguments=["--prefetch-multiplier", "1"])
    replies = wire.declare()
    send(wire, worker, replies, 200, task="governed.one_an_hour")
    add = wire.publish_task(worker.queue, "demo.add", (2, 3), reply_to=replies)
    results = final_results(wire, replies, 2)
    assert results[add]["result"] == 5


@pytest.mark.beyond_celery
def test_a_new_limit_counts_for_what_waits(wire, start):  # noqa: F811
    """Celery's tasks wait on by the old limit."""
    worker = start(concurrency=1)
    replies = wire.declare()
    tasks = send(wire, worker, replies, 20, task="governed.one_an_hour")
    assert wire.final_result(replies, tasks[0])["status"] == "SUCCESS"
    assert govern(wire, worker, "rate_limit", "governed.one_an_hour", "20/s") is True
    results = final_results(wire, replies, 19)
    assert set(results) == set(tasks[1:])
    assert_pace(results.values(), 20)
    assert "New rate limit for tasks of type governed.one_an_hour: 20/s." in worker.log_text
