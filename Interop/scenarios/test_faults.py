"""The broker misbehaves: connections are cut, it restarts, a queue disappears, publishers are blocked. The worker carries on.

These tests have a broker of their own, which they may treat as they like.
"""
import os
import threading
import time

import pytest

import harness
from harness import PATIENCE, Broker, Wire, eventually, unique

# Outages after which work has to flow again at once, in seconds; OUTAGES="10 120" tries the longer one too.
OUTAGES = [float(seconds) for seconds in os.environ.get("OUTAGES", "10").split()]
FIRST_RESULT_WITHIN = 2.0
SLACK = 3.0


class ThrowAwayWire(Wire):
    """Its connection may be lost, and the broker forgets all queues in the end."""

    def delete(self, *queues):
        pass


@pytest.fixture
def wire(broker):
    wire = ThrowAwayWire(broker.url)
    yield wire
    wire.close()


@pytest.mark.parametrize("fault", [Broker.close_connections, Broker.restart], ids=["connections are cut", "the broker restarts"])
def test_idle_worker_comes_back(broker, start_swift, fault):
    worker = start_swift()
    fault(broker)
    broker.wait_for_consumer(worker.queue)
    assert broker.answers(worker.queue)
    assert worker.stop() == 0


def test_result_of_a_task_that_ran_through_the_loss(broker, wire, start_swift):
    """Early acknowledgement: the task is not delivered again, and its result goes out over the new connection."""
    worker = start_swift(concurrency=2)
    replies = wire.declare()
    task = wire.publish_task(worker.queue, "demo.sleep", (4.0,), reply_to=replies)
    worker.wait_for_log(rf"\[{task}\] received")
    time.sleep(0.5)
    broker.close_connections()
    broker.wait_for_consumer(worker.queue)
    fresh = Wire(broker.url)
    assert fresh.final_result(replies, task, PATIENCE)["result"] == 4.0
    fresh.close()
    assert worker.log_text.count(f"[{task}] received") == 1
    assert broker.answers(worker.queue)


def test_several_losses(broker, start_swift):
    worker = start_swift()
    for _ in range(3):
        broker.close_connections()
        broker.wait_for_consumer(worker.queue)
        assert broker.answers(worker.queue)


@pytest.mark.beyond_celery
def test_queue_is_deleted(broker, wire, start_swift):
    """The broker cancels the consumer; the worker declares the queue again."""
    worker = start_swift()
    wire.channel.queue_delete(worker.queue)
    broker.wait_for_consumer(worker.queue)
    assert broker.answers(worker.queue)


def test_blocked_publishers(broker, wire, start_swift):
    """While the broker is short of memory results wait; nothing is lost."""
    worker = start_swift()
    replies = wire.declare()
    task = wire.publish_task(worker.queue, "demo.sleep", (3.0,), reply_to=replies)
    worker.wait_for_log(rf"\[{task}\] received")
    broker.control("set_vm_memory_high_watermark", "0.000001")
    try:
        worker.wait_for_log(rf"\[{task}\] succeeded")
        time.sleep(1)
    finally:
        broker.control("set_vm_memory_high_watermark", "0.4")
    assert wire.result(replies, task, PATIENCE)["result"] == 3.0
    assert broker.answers(worker.queue)


def test_worker_waits_for_a_broker_that_is_not_there_yet(broker, start_swift):
    broker.control("stop_app")
    try:
        worker = start_swift(ready=False)
        time.sleep(2)
        assert worker.process.poll() is None
    finally:
        broker.control("start_app")
    broker.wait_for_consumer(worker.queue)
    assert broker.answers(worker.queue)


def time_to_first_result(broker, queue):
    """Waits for the port to open, and returns how long after that the first new task is answered."""
    eventually(broker.is_open, PATIENCE, "the port opens", interval=0.01)
    opened = time.monotonic()

    def wire():
        try:
            return Wire(broker.url)
        except (OSError, EOFError):  # the port opens before the broker speaks
            return None

    fresh = eventually(wire, PATIENCE, "the broker speaks", interval=0.01)
    try:
        replies = unique("replies")
        fresh.channel.queue_declare(replies, exclusive=True)
        fresh.publish_task(queue, "demo.add", (2, 3), reply_to=replies)
        assert eventually(lambda: fresh.channel.basic_get(replies, no_ack=True), PATIENCE, "the first new result", interval=0.01)
        return time.monotonic() - opened
    finally:
        fresh.close()


@pytest.mark.skipif(harness.STAND_IN, reason="Celery's own worker waits longer")
@pytest.mark.parametrize("seconds", OUTAGES)
def test_first_result_after_an_outage(broker, start_swift, record_property, seconds):
    """However long the broker was away, work flows again within two seconds."""
    worker = start_swift()
    assert broker.answers(worker.queue)
    broker.control("stop_app")
    time.sleep(seconds)
    start = threading.Thread(target=broker.control, args=("start_app",))
    start.start()
    try:
        took = time_to_first_result(broker, worker.queue)
    finally:
        start.join()
    record_property("seconds", took)
    print(f"{took:.2f} s after the port opened, {seconds:.0f} s after the broker went")
    assert took < FIRST_RESULT_WITHIN + SLACK
