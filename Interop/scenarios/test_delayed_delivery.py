"""Native delayed delivery: where quorum queues are in use, tasks with a countdown wait in the broker's ladder of queues."""
import subprocess
import sys
import time

import pytest
from kombu import Exchange, Queue
from kombu.transport.native_delayed_delivery import (
    bind_queue_to_native_delayed_delivery_exchange,
    calculate_routing_key,
    declare_native_delayed_delivery_exchanges_and_queues,
)

from harness import BROKER_URL, SWCELERY, TIMEOUT, Worker, client_app, eventually, unique

pytestmark = pytest.mark.beyond_celery

LEVELS = [f"celery_delayed_{level}" for level in range(28)]
KEY = "jobs.due"
DELAY = 3


@pytest.fixture
def quorum(wire):
    """A quorum queue on a topic exchange; gone afterwards, with the ladder."""
    queue = Queue(unique("quorum"), Exchange(unique("topic"), type="topic"), routing_key=KEY, queue_arguments={"x-queue-type": "quorum"})
    yield queue
    wire.delete(queue.name, *LEVELS)
    for exchange in (queue.exchange.name, "celery_delayed_delivery", *LEVELS):
        wire.channel.exchange_delete(exchange)


@pytest.fixture
def python_quorum(wire, quorum, tmp_path):
    """Python's worker of that queue, which declares the ladder at its start."""
    (tmp_path / "quorumproj.py").write_text(
        "from kombu import Exchange, Queue\n"
        "from proj.celery import app\n"
        f"exchange = Exchange({quorum.exchange.name!r}, type='topic')\n"
        f"queue = Queue({quorum.name!r}, exchange, routing_key={KEY!r}, queue_arguments={{'x-queue-type': 'quorum'}})\n"
        "app.conf.update(task_queues=[queue], task_default_queue=queue.name)\n"
    )
    command = [sys.executable, "-m", "celery", "--workdir", str(tmp_path), "-A", "quorumproj", "-b", BROKER_URL, "worker", "-c", "2", "-P", "threads", "-l", "info"]
    worker = Worker(command, [quorum.name], tmp_path / "python.log")
    try:
        yield worker.wait_until_ready(wire)
    finally:
        worker.end()


def declare_ladder(app, queue):
    """As Celery's worker does at its start."""
    with app.connection_for_write() as connection:
        queue.bind(connection.channel()).declare()
        declare_native_delayed_delivery_exchanges_and_queues(connection, "quorum")
        bind_queue_to_native_delayed_delivery_exchange(connection, queue)


def in_ladder(wire):
    return sum(wire.ready(level) for level in LEVELS[:3])


def test_python_delays_for_the_swift_worker(wire, quorum, start_swift):
    app = client_app(task_queues=[quorum], task_default_queue=quorum.name)
    declare_ladder(app, quorum)
    start_swift([quorum.name])
    before = time.monotonic()
    result = app.send_task("demo.add", (2, 3), countdown=DELAY)
    eventually(lambda: in_ladder(wire) == 1, what="the task is in the ladder")
    assert result.get(timeout=TIMEOUT) == 5
    assert time.monotonic() - before >= DELAY - 0.1
    assert in_ladder(wire) == 0


def test_swift_adds_nothing_that_the_ladder_minds(wire, quorum, python_quorum):
    before = time.monotonic()
    done = subprocess.run(
        [SWCELERY, "call", "demo.add", "--args", "[2, 3]", "--countdown", str(DELAY), "--exchange", "celery_delayed_27",
         "--routing-key", calculate_routing_key(DELAY, KEY), "--wait", "--timeout", str(TIMEOUT), "-b", BROKER_URL],
        capture_output=True, text=True, timeout=2 * TIMEOUT,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "5"
    assert time.monotonic() - before >= DELAY - 0.1
    assert in_ladder(wire) == 0
