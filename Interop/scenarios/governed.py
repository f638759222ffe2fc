"""What the scenarios of rate limits, revokes and order share: the worker of examples/demo that can be governed by its own tasks."""
import pathlib

import pytest

import harness


@pytest.fixture
def start(start_swift):
    """A worker with the tasks of proj.governed; Celery's own where that stands in."""
    if harness.STAND_IN:
        return start_swift
    if not harness.EXAMPLE_WORKER:
        pytest.skip("SWCELERY_EXAMPLE_WORKER names no executable")
    executable = pathlib.Path(harness.EXAMPLE_WORKER).with_name("embeddedworker")
    return lambda **options: start_swift(executable=executable, **options)


def govern(wire, worker, command, *args):
    """Lets the worker run one of its governing tasks."""
    replies = wire.declare()
    task = wire.publish_task(worker.queue, f"governed.{command}", args, reply_to=replies)
    result = wire.final_result(replies, task)
    assert result["status"] == "SUCCESS", result
    return result["result"]
