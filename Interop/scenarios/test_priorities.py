"""Priorities of messages, of consumers, and of queues."""
import pytest

from governed import start  # noqa: F401
from harness import eventually


def results_in_order(wire, replies, count):
    """The results as they came."""
    found = []
    while len(found) < count:
        result = wire.result(replies)
        if result["status"] == "SUCCESS":
            found.append(result["result"])
    return found


def test_messages_of_higher_priority_come_first(wire, start, monkeypatch):  # noqa: F811
    monkeypatch.setenv("PROJ_MAX_PRIORITY", "10")
    queue = wire.declare(**{"x-max-priority": 10})
    replies = wire.declare()
    for priority in (0, 3, 9, 1, 5, 9, 3):
        wire.publish_task(queue, "demo.add", (priority, 0), reply_to=replies, priority=priority)
    eventually(lambda: wire.ready(queue) == 7)
    start(queues=[queue], concurrency=1, arguments=["--prefetch-multiplier", "1"])
    assert results_in_order(wire, replies, 7) == [9, 9, 5, 3, 3, 1, 0]


def test_a_higher_priority_overtakes_what_waits_in_the_queue(wire, start, monkeypatch):  # noqa: F811
    """With a prefetch of one only the message that was fetched already goes before it."""
    monkeypatch.setenv("PROJ_MAX_PRIORITY", "10")
    queue = wire.declare(**{"x-max-priority": 10})
    replies = wire.declare()
    worker = start(queues=[queue], concurrency=1, arguments=["--prefetch-multiplier", "1"])
    for task, args in [("demo.sleep", (2,)), ("demo.add", (0, 0))]:
        # The broker may tell how many messages wait before it has taken the last one.
        fetched = wire.publish_task(queue, task, args, reply_to=replies, priority=1)
        worker.wait_for_log(rf"\[{fetched}\] received")
    for number in range(1, 5):
        wire.publish_task(queue, "demo.add", (number, 0), reply_to=replies, priority=1)
    wire.publish_task(queue, "demo.add", (100, 0), reply_to=replies, priority=9)
    assert results_in_order(wire, replies, 7) == [2, 0, 100, 1, 2, 3, 4]


@pytest.mark.beyond_celery
def test_the_consumer_of_higher_priority_gets_the_messages(wire, start):  # noqa: F811
    """Celery's worker takes the argument from the queues in its configuration only."""
    queue = wire.declare()
    replies = wire.declare()
    low = start(queues=[queue], concurrency=4)
    high = start(queues=[queue], others=1, concurrency=4, arguments=["--consumer-priority", "10"])
    for number in range(20):
        task = wire.publish_task(queue, "demo.add", (number, 0), reply_to=replies)
        assert wire.final_result(replies, task)["result"] == number
    assert high.log_text.count("] received") == 20
    assert "] received" not in low.log_text
    assert high.stop() == 0
    task = wire.publish_task(queue, "demo.add", (1, 0), reply_to=replies)
    assert wire.final_result(replies, task)["result"] == 1
    assert low.log_text.count("] received") == 1


@pytest.mark.beyond_celery
def test_queues_in_strict_order(wire, start):  # noqa: F811
    queues = [wire.declare() for _ in range(3)]
    replies = wire.declare()
    worker = start(queues=queues, concurrency=1, arguments=["--prefetch-multiplier", "20", "--strict-queue-order", "1"])
    wire.publish_task(queues[2], "demo.sleep", (3,), reply_to=replies)
    worker.wait_for_log(r"demo\.sleep\[.*received")
    for number in range(3):
        for rank in (2, 1, 0):
            wire.publish_task(queues[rank], "demo.add", (10 * rank + number, 0), reply_to=replies)
    assert results_in_order(wire, replies, 10) == [3, 0, 1, 2, 10, 11, 12, 20, 21, 22]
