"""Queues of every kind that somebody else has declared: the Swift worker and client use them as they are."""
import subprocess

import pytest

from harness import BROKER_URL, SWCELERY, TIMEOUT, unique

pytestmark = pytest.mark.beyond_celery

ADOPTED = "queue exists with other arguments and is used as it is"

KINDS = {
    "quorum": {"x-queue-type": "quorum"},
    "priorities": {"x-max-priority": 5},
    "message-ttl": {"x-message-ttl": 600_000},
    "dead-letters": {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "elsewhere"},
    "single-active-consumer": {"x-single-active-consumer": True},
    "expiry": {"x-expires": 600_000},
    "length-limit": {"x-max-length": 100, "x-overflow": "reject-publish"},
    "lazy": {"x-queue-mode": "lazy"},
}


def call(queue, *arguments):
    return subprocess.run(
        [SWCELERY, "call", "demo.add", "--args", "[2, 3]", "--queue", queue, "-b", BROKER_URL, *arguments],
        capture_output=True, text=True, timeout=2 * TIMEOUT,
    )


@pytest.mark.parametrize("arguments", KINDS.values(), ids=KINDS.keys())
def test_a_queue_of_another_kind_is_adopted(wire, start_swift, arguments):
    queue = wire.declare(unique("adopted"), **arguments)
    worker = start_swift([queue])
    done = call(queue, "--wait", "--timeout", str(TIMEOUT))
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "5"
    for log in (done.stderr, worker.log_text):
        assert log.count(ADOPTED) == 1, log
        assert "inequivalent arg" in log
    # What was declared is still there as it was: the same declaration is accepted.
    wire.channel.queue_declare(queue, durable=True, auto_delete=False, arguments=arguments)


def test_an_exchange_of_another_type_is_adopted(wire, start_swift):
    queue = unique("adopted")
    wire.channel.exchange_declare(queue, "fanout", durable=True, auto_delete=False)
    try:
        worker = start_swift([queue])
        assert call(queue, "--wait", "--timeout", str(TIMEOUT)).stdout.strip() == "5"
        assert worker.log_text.count("exchange exists with other arguments and is used as it is") == 1
    finally:
        wire.channel.exchange_delete(queue)


def test_a_full_queue_refuses(wire):
    queue = wire.declare(unique("full"), **{"x-max-length": 1, "x-overflow": "reject-publish"})
    assert call(queue).returncode == 0
    done = call(queue)
    assert done.returncode != 0
    assert "queueFull" in done.stderr, done.stderr
    assert wire.ready(queue) == 1


def test_a_queue_without_adoption_gives_no_warning(wire, start_swift):
    queue = wire.declare(unique("plain"))
    worker = start_swift([queue])
    assert call(queue, "--wait", "--timeout", str(TIMEOUT)).stdout.strip() == "5"
    assert ADOPTED not in worker.log_text
