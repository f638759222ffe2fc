"""The broker misbehaves: connections are cut, it restarts, a queue disappears, publishers are blocked. The worker carries on.

These tests have a broker of their own, which they may treat as they like.
"""
import time

import pytest

from harness import PATIENCE, Broker, Wire


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
