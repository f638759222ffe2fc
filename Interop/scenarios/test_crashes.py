"""Tasks that bring down their process: each takes its own child with it at most, and leaves nothing behind."""
import os
import random
import subprocess
import time

import pytest
from celery.exceptions import TimeLimitExceeded, WorkerLostError

import harness
from harness import PATIENCE, eventually, unique
from matrix import OutcomeWorker
from processes import Footprint, children, is_alive

pytestmark = [
    pytest.mark.skipif(not harness.OUTCOME_WORKER, reason="SWCELERY_OUTCOME_WORKER names no executable"),
    pytest.mark.beyond_celery,
]

CONCURRENCY = 4
OTHERS = 100
SOAK = int(os.environ.get("SWCELERY_CRASHES", 1000))
MEMORY_LIMIT = 256 << 10  # KiB

# What kills, with its arguments, and what the caller is told.
CRASHES = {
    "fatalError": ("crash.fatal", (), WorkerLostError, r"signal (4 \(SIGILL\)|5 \(SIGTRAP\))"),
    "full stack": ("crash.overflow", (), WorkerLostError, r"signal 11 \(SIGSEGV\)"),
    "leak of 1 GiB": ("crash.leak", (1024,), WorkerLostError, r"signal 9 \(SIGKILL\).*memory"),
    "busy loop": ("crash.spin", (), TimeLimitExceeded, r"1"),
    "exit(0)": ("crash.exit", (0,), WorkerLostError, r"exitcode 0"),
    "exit(3)": ("crash.exit", (3,), WorkerLostError, r"exitcode 3"),
    "abort": ("crash.abort", (), WorkerLostError, r"signal 6 \(SIGABRT\)"),
    "SIGSEGV": ("crash.signal", (11,), WorkerLostError, r"signal 11 \(SIGSEGV\)"),
    "SIGKILL": ("crash.signal", (9,), WorkerLostError, r"signal 9 \(SIGKILL\)"),
    "SIGTERM": ("crash.signal", (15,), WorkerLostError, r"signal 15 \(SIGTERM\)"),
}


@pytest.fixture(scope="module")
def worker(session_wire, tmp_path_factory):
    queue = unique("crashes")
    # A backtrace of each crash would take half a second.
    settings = {"OUTCOME_MEMORY_LIMIT": str(MEMORY_LIMIT), "SWIFT_BACKTRACE": "enable=no"}
    worker = OutcomeWorker("swift-processes", [queue], tmp_path_factory.mktemp("crashes"), settings, concurrency=CONCURRENCY, arguments=["-Q", queue])
    try:
        yield worker.wait_until_ready(session_wire)
        assert worker.process.poll() is None, worker.log_text[-4000:]
        assert worker.stop(timeout=PATIENCE) == 0
    finally:
        worker.end()
        session_wire.delete(queue)


def serves(app, worker):
    return app.send_task("crash.none", (7, 0), queue=worker.queue).get(timeout=PATIENCE) == 7


@pytest.mark.parametrize("name", CRASHES)
def test_one_child_at_most(app, worker, name):
    """A hundred other tasks that run at the time have their results."""
    task, arguments, error, message = CRASHES[name]
    process = worker.process.pid
    results, crashes = [], []
    for number in range(OTHERS):
        if number in (10, 50):
            crashes.append(app.send_task(task, arguments, queue=worker.queue))
        results.append(app.send_task("crash.none", (number, 0.05), queue=worker.queue))
    for crash in crashes:
        with pytest.raises(error, match=message):
            crash.get(timeout=PATIENCE)
    assert [result.get(timeout=PATIENCE) for result in results] == list(range(OTHERS))
    assert worker.process.pid == process and worker.process.poll() is None
    assert serves(app, worker)


def test_caller_on_the_command_line(worker):
    """The same for a caller in Swift."""
    done = subprocess.run(
        [harness.SWCELERY, "call", "crash.exit", "--args", "[3]", "--queue", worker.queue, "--wait", "-b", harness.BROKER_URL],
        capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode != 0
    assert "WorkerLostError" in done.stderr and "exitcode 3" in done.stderr


def test_leak_between_tasks(app, wire, tmp_path):
    """`worker_max_memory_per_child`: the task keeps its result, its child goes after it."""
    queue = unique("leaks")
    worker = OutcomeWorker("swift-processes", [queue], tmp_path, {"OUTCOME_MAX_MEMORY": str(200 << 10)}, concurrency=1, arguments=["-Q", queue])
    try:
        worker.wait_until_ready(wire)
        first = app.send_task("crash.process", queue=queue).get(timeout=PATIENCE)
        assert app.send_task("crash.process", queue=queue).get(timeout=PATIENCE) == first
        app.send_task("crash.keep", (300,), queue=queue).get(timeout=PATIENCE)
        assert app.send_task("crash.process", queue=queue).get(timeout=PATIENCE) != first
        eventually(lambda: not is_alive(first), PATIENCE)
        assert worker.stop(timeout=PATIENCE) == 0
    finally:
        worker.end()
        wire.delete(queue)


def test_nothing_is_left_behind(app, wire, worker):
    """Many crashes in a row: the worker has the descriptors, threads, children and memory that it had before."""
    replies, dice = wire.declare(), random.Random(1)
    kinds = [("crash.exit", (0,)), ("crash.signal", (9,)), ("crash.signal", (11,)), ("crash.abort", ())]

    def crash(count):
        for _ in range(count):
            task, arguments = dice.choice(kinds)
            wire.publish_task(worker.queue, task, arguments, reply_to=replies)
        eventually(lambda: wire.ready(replies) == count, PATIENCE + count / 4, f"{count} answers")
        answers = [wire.result(replies)["result"] for _ in range(count)]
        assert all(answer["exc_type"] == "WorkerLostError" for answer in answers), answers

    def is_calm():
        return len(children(worker.process.pid)) == CONCURRENCY and serves(app, worker)

    crash(40)
    eventually(is_calm, PATIENCE)
    before = Footprint.of(worker.process.pid)
    start = time.monotonic()
    crash(SOAK)
    took = time.monotonic() - start
    eventually(is_calm, PATIENCE)
    after = eventually(lambda: (now := Footprint.of(worker.process.pid)).descriptors <= before.descriptors and now, PATIENCE, "descriptors are closed")
    print(f"{SOAK} crashes in {took:.1f} s: {before} -> {after}")
    assert after.zombies == 0
    assert after.children == before.children == CONCURRENCY
    assert after.threads <= before.threads + 2
    assert after.resident <= before.resident + 6144  # KiB
