"""Very many tasks at a time in one process."""
import pytest

import harness
from harness import PATIENCE, eventually, unique
from matrix import OutcomeWorker

COUNT = 10_000

pytestmark = [
    pytest.mark.skipif(not harness.OUTCOME_WORKER, reason="SWCELERY_OUTCOME_WORKER names no executable"),
    pytest.mark.beyond_celery,
]


def test_ten_thousand_at_a_time(wire, tmp_path):
    """Each waits until all are there: fewer at a time would wait for ever."""
    queue, replies = wire.declare(unique("crowd")), wire.declare()
    for _ in range(COUNT):
        wire.publish_task(queue, "crowd.meet", (COUNT,), reply_to=replies, delivery_mode=1)
    worker = OutcomeWorker("swift-tasks", [queue], tmp_path, concurrency=COUNT, arguments=["-Q", queue])
    try:
        worker.wait_until_ready(wire)
        eventually(lambda: wire.ready(replies) == COUNT, 2 * PATIENCE, "all have met")
        assert {wire.result(replies)["status"] for _ in range(COUNT)} == {"SUCCESS"}
        assert worker.stop(timeout=PATIENCE) == 0
        assert wire.ready(queue) == 0
    finally:
        worker.end()
