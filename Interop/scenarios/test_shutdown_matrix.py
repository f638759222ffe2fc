"""Signals in the middle of the work, for each pool: with late acknowledgement every task is finished, and what had not begun begins once."""
import collections
import os
import signal

import pytest

import harness
from harness import PATIENCE, eventually, unique
from matrix import OutcomeWorker
from processes import is_alive

SECONDS = 2.0  # at the first delivery; none when it has come back
CONCURRENCY = {"python-prefork": 2, "swift-processes": 2, "swift-tasks": 2, "swift-solo": 1}
SIGNALS = [signal.SIGTERM, signal.SIGQUIT, signal.SIGKILL]

BODIES = [("python-prefork", "crash.record")]
if harness.OUTCOME_WORKER and not harness.STAND_IN:
    # A body that holds its thread hears of nothing: only a process of its own can be ended all the same.
    BODIES += [("swift-processes", "crash.record"), ("swift-processes", "crash.block"), ("swift-tasks", "crash.record"), ("swift-solo", "crash.record")]


class Journal:
    """What began and what ended where: task ids, processes."""

    def __init__(self, *workers):
        lines = [line.split() for worker in workers if worker.journal_path.exists() for line in worker.journal_path.read_text().splitlines()]
        self.begun = collections.Counter(task for _, word, task, _ in lines if word == "begin")
        self.ended = collections.Counter(task for _, word, task, _ in lines if word == "end")
        self.processes = {int(process) for *_, process in lines}


@pytest.fixture
def start(wire, tmp_path):
    workers = []

    def start(kind, queue):
        worker = OutcomeWorker(kind, [queue], tmp_path, concurrency=CONCURRENCY[kind], arguments=["-Q", queue])
        workers.append(worker)
        return worker.wait_until_ready(wire)

    yield start
    for worker in workers:
        worker.end()
        wire.delete(*worker.queues)


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
@pytest.mark.parametrize("kind, task", BODIES)
def test_every_task_is_finished(wire, start, kind, task, number):
    queue, replies, concurrency = unique(kind), wire.declare(), CONCURRENCY[kind]
    first = start(kind, queue)
    ids = [wire.publish_task(queue, task, (SECONDS,), reply_to=replies) for _ in range(4 * concurrency)]
    eventually(lambda: len(first.begun()) == concurrency and wire.ready(queue) == 0, PATIENCE, "some tasks run, the others are fetched")
    first.send_signal(number)
    first.wait(PATIENCE)
    before = Journal(first)
    assert set(before.begun) == set(ids[:concurrency]) and set(before.begun.values()) == {1}
    if number == signal.SIGTERM:
        assert before.ended == before.begun
    elif not kind.startswith("python"):
        # What holds its thread hears of no cancellation, and may end within the time that cancelled tasks have.
        assert not before.ended or (number, task) == (signal.SIGQUIT, "crash.block")
        eventually(lambda: not any(map(is_alive, before.processes)), PATIENCE, "no process of the worker is left")
    done = set(before.ended) if number != signal.SIGKILL else set()
    eventually(lambda: wire.ready(queue) == len(ids) - len(done), PATIENCE, "what is not finished is back in the queue")

    second = start(kind, queue)
    eventually(lambda: set(Journal(first, second).ended) == set(ids), PATIENCE, "every task is finished")
    assert second.stop(timeout=PATIENCE) == 0
    assert wire.ready(queue) == 0
    after = Journal(first, second)
    assert {task: count for task, count in after.begun.items() if count > 1} == dict.fromkeys(set(before.begun) - done, 2)
    succeeded = {}
    while wire.ready(replies):
        result = wire.result(replies)
        succeeded[result["task_id"]] = result["status"]
    assert succeeded == dict.fromkeys(ids, "SUCCESS")


@pytest.mark.skipif(harness.STAND_IN or not harness.OUTCOME_WORKER, reason="Celery's children outlive a killed worker by the task that they run")
@pytest.mark.parametrize("task", ["crash.record", "crash.block"])
def test_children_of_a_killed_worker_die(wire, start, task):
    queue = unique("orphans")
    worker = start("swift-processes", queue)
    for _ in range(2):
        wire.publish_task(queue, task, (60.0,))
    eventually(lambda: len(worker.begun()) == 2, PATIENCE)
    children = Journal(worker).processes
    assert worker.process.pid not in children and all(map(is_alive, children))
    os.kill(worker.process.pid, signal.SIGKILL)
    worker.wait()
    eventually(lambda: not any(map(is_alive, children)), PATIENCE, "the children are gone")
