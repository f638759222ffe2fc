"""Starting, stopping and sharing: what happens to tasks when workers come and go."""
import re
import signal
import time

import pytest

from harness import BROKER_URL, PATIENCE, STAND_IN, TIMEOUT, eventually, unique


def received(worker):
    return set(re.findall(r"Task \S+\[([0-9a-f-]+)\] received", worker.log_text))


def succeeded(worker):
    return set(re.findall(r"Task \S+\[([0-9a-f-]+)\] succeeded", worker.log_text))


def test_terminate_in_the_middle_of_fifty_tasks(app, wire, start_swift):
    """All that run finish and answer, all that were only prefetched are back in the queue, and the exit status is 0."""
    worker = start_swift(concurrency=50, arguments=["--prefetch-multiplier", "2"])
    results = [app.send_task("demo.sleep", (3.0,), queue=worker.queue) for _ in range(90)]
    eventually(lambda: wire.ready(worker.queue) == 0, what="every task is prefetched")
    time.sleep(0.5)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    finished = succeeded(worker)
    assert len(finished) == 50
    assert [result.get(timeout=TIMEOUT) for result in results if result.id in finished] == [3.0] * 50
    assert eventually(lambda: wire.ready(worker.queue) == 40, what="forty tasks are back")
    again = start_swift(queues=worker.queues, concurrency=50)
    assert all(result.get(timeout=TIMEOUT) == 3.0 for result in results)
    assert finished.isdisjoint(received(again))


@pytest.mark.parametrize("number, status", [(signal.SIGTERM, 0), (signal.SIGINT, 1)], ids=["SIGTERM", "SIGINT"])
def test_idle_worker_stops_at_once(start_swift, number, status):
    """With the exit status that Celery's worker has."""
    worker = start_swift()
    start = time.monotonic()
    assert worker.stop(number) == status
    assert time.monotonic() - start < (10 if STAND_IN else 3)


def test_interrupt_finishes_running_tasks(app, wire, start_swift):
    worker = start_swift(concurrency=4)
    results = [app.send_task("demo.sleep", (2.0,), queue=worker.queue) for _ in range(8)]
    eventually(lambda: wire.ready(worker.queue) == 0)
    time.sleep(0.5)
    worker.send_signal(signal.SIGINT)
    worker.wait()
    assert len(succeeded(worker)) == 4
    assert sum(result.id in succeeded(worker) and result.get(timeout=TIMEOUT) == 2.0 for result in results) == 4
    assert eventually(lambda: wire.ready(worker.queue) == 4)


def test_tasks_that_wait_for_their_time_go_back_too(app, wire, start_swift):
    worker = start_swift()
    for _ in range(5):
        app.send_task("demo.add", (1, 1), queue=worker.queue, countdown=600)
    eventually(lambda: len(received(worker)) == 5)
    assert worker.stop() == 0
    assert eventually(lambda: wire.ready(worker.queue) == 5)


def test_killed_worker_gives_back_what_it_had_not_started(app, wire, start_swift):
    """Early acknowledgement, Celery's default: the running task is lost, the prefetched ones are not."""
    worker = start_swift(concurrency=1, arguments=["--prefetch-multiplier", "4"])
    results = [app.send_task("demo.sleep", (1.5,), queue=worker.queue) for _ in range(4)]
    eventually(lambda: wire.ready(worker.queue) == 0)
    time.sleep(0.5)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    assert eventually(lambda: wire.ready(worker.queue) == 3)
    start_swift(queues=worker.queues, concurrency=4)
    assert [result.get(timeout=TIMEOUT) for result in results[1:]] == [1.5] * 3
    assert not results[0].ready()


def test_two_swift_workers_share_a_queue(app, start_swift):
    queue = unique("shared")
    workers = [start_swift(queues=[queue], others=others, concurrency=2, arguments=["--prefetch-multiplier", "1"]) for others in (0, 1)]
    results = [app.send_task("demo.sleep", (0.1,), queue=queue) for _ in range(40)]
    assert [result.get(timeout=TIMEOUT) for result in results] == [0.1] * 40
    shares = [len(received(worker)) for worker in workers]
    assert sum(shares) == 40 and min(shares) >= 10


def test_swift_and_python_share_a_queue(app, start_swift, start_python):
    queue = unique("mixed")
    workers = [start_swift(queues=[queue], concurrency=2), start_python(queues=[queue], others=1, concurrency=2)]
    results = [app.send_task("demo.sleep", (0.1,), queue=queue) for _ in range(60)]
    assert [result.get(timeout=TIMEOUT) for result in results] == [0.1] * 60
    shares = [len(received(worker)) for worker in workers]
    assert sum(shares) == 60 and min(shares) >= 5


def test_concurrency_is_a_limit(app, start_swift):
    worker = start_swift(concurrency=3)
    start = time.monotonic()
    results = [app.send_task("demo.sleep", (0.5,), queue=worker.queue) for _ in range(9)]
    assert [result.get(timeout=TIMEOUT) for result in results] == [0.5] * 9
    assert 1.5 <= time.monotonic() - start < 4


def test_tasks_sent_before_the_worker_started(app, wire, start_swift):
    queue = wire.declare(unique("early"))
    results = [app.send_task("demo.add", (number, 1), queue=queue) for number in range(50)]
    start_swift(queues=[queue])
    assert [result.get(timeout=TIMEOUT) for result in results] == [number + 1 for number in range(50)]


@pytest.mark.parametrize("task", ["demo.sleep", "demo.block"])
def test_heartbeats_during_long_tasks(app, start_swift, task):
    """Heartbeats every two seconds, tasks of seven that wait or hold their threads: the connection stays."""
    joiner = "&" if "?" in BROKER_URL else "?"
    options = {} if STAND_IN else {"broker": f"{BROKER_URL}{joiner}heartbeat=2"}
    worker = start_swift(concurrency=4, **options)
    results = [app.send_task(task, (7.0,), queue=worker.queue) for _ in range(4)]
    assert [result.get(timeout=2 * TIMEOUT) for result in results] == [7.0] * 4
    assert len(re.findall(r"\] received", worker.log_text)) == 4
    assert app.send_task("demo.add", (2, 3), queue=worker.queue).get(timeout=TIMEOUT) == 5


def with_heartbeat(url, seconds):
    return f"{url}{'&' if '?' in url else '?'}heartbeat={seconds}"


@pytest.mark.beyond_celery
def test_heartbeats_and_results_go_on_to_the_last_task_of_a_warm_shutdown(app, wire, start_swift):
    """The connections outlive several heartbeats while the worker only waits for its tasks."""
    worker = start_swift(concurrency=4, broker=with_heartbeat(BROKER_URL, 1), arguments=["-l", "debug", "task_acks_late=1"])
    results = [app.send_task(task, (seconds,), queue=worker.queue) for task, seconds in
               [("demo.sleep", 2.0), ("demo.sleep", 5.0), ("demo.block", 8.0), ("demo.sleep", 9.0)]]
    worker.wait_for_log(r"(?s)(?:received.*){4}")
    worker.send_signal(signal.SIGTERM)
    # A result that comes in the middle of the shutdown, and not only at its end.
    assert results[0].get(timeout=TIMEOUT) == 2.0
    assert worker.process.poll() is None
    assert worker.wait(PATIENCE) == 0
    assert [result.get(timeout=TIMEOUT) for result in results] == [2.0, 5.0, 8.0, 9.0]
    assert worker.log_text.count("Connected to the broker epoch=") == 2
    assert "epoch=2" not in worker.log_text
    assert wire.ready(worker.queue) == 0


def cancelled_result(wire, worker, arguments=("demo.sleep", (60,))):
    """Sends a task whose result comes raw to a queue."""
    replies = wire.declare(unique("replies"))
    task_id = wire.publish_task(worker.queue, *arguments, reply_to=replies)
    worker.wait_for_log(rf"{task_id}\] received")
    return lambda: wire.result(replies, task_id)


@pytest.mark.beyond_celery
@pytest.mark.parametrize("late", [False, True], ids=["early", "late"])
@pytest.mark.parametrize("how", ["SIGQUIT", "REMAP_SIGTERM", "second SIGINT"])
def test_cold_shutdown(wire, start_swift, monkeypatch, how, late):
    """The caller of an early task hears RETRY, a late one is back in its queue, and the exit status is 0."""
    if how == "REMAP_SIGTERM":
        monkeypatch.setenv("REMAP_SIGTERM", "SIGQUIT")
    worker = start_swift(concurrency=2, arguments=[f"task_acks_late={int(late)}"])
    result = cancelled_result(wire, worker)
    if how == "second SIGINT":
        worker.send_signal(signal.SIGINT)
        worker.wait_for_log("Hitting Ctrl\\+C again will initiate cold shutdown")
        worker.send_signal(signal.SIGINT)
    else:
        worker.send_signal(signal.SIGTERM if how == "REMAP_SIGTERM" else signal.SIGQUIT)
    assert worker.wait(PATIENCE) == 0
    assert "worker: Cold shutdown (MainProcess)" in worker.log_text
    if late:
        assert eventually(lambda: wire.ready(worker.queue) == 1)
    else:
        found = result()
        assert found["status"] == "RETRY"
        assert found["result"]["exc_type"] == "Retry"
        assert wire.ready(worker.queue) == 0


@pytest.mark.beyond_celery
def test_soft_shutdown_lets_short_tasks_finish(app, wire, start_swift):
    worker = start_swift(concurrency=2, arguments=["worker_soft_shutdown_timeout=4", "task_acks_late=1"])
    short = app.send_task("demo.sleep", (1.5,), queue=worker.queue)
    app.send_task("demo.sleep", (60,), queue=worker.queue)
    worker.wait_for_log(r"(?s)(?:received.*){2}")
    start = time.monotonic()
    worker.send_signal(signal.SIGQUIT)
    assert worker.wait(PATIENCE) == 0
    assert time.monotonic() - start > 3.5
    assert short.get(timeout=TIMEOUT) == 1.5
    assert eventually(lambda: wire.ready(worker.queue) == 1)
    assert "Initiating Soft Shutdown, terminating in 4.0 seconds" in worker.log_text


@pytest.mark.beyond_celery
def test_soft_shutdown_of_an_idle_worker_is_a_cold_one(start_swift):
    worker = start_swift(arguments=["worker_soft_shutdown_timeout=60"])
    start = time.monotonic()
    assert worker.stop(signal.SIGQUIT, PATIENCE) == 0
    assert time.monotonic() - start < 30


@pytest.mark.beyond_celery
def test_signals_during_a_soft_shutdown(wire, start_swift):
    """The second one cancels the tasks at once; a third one would end the process."""
    worker = start_swift(concurrency=2, arguments=["worker_soft_shutdown_timeout=600", "task_acks_late=1"])
    cancelled_result(wire, worker)
    worker.send_signal(signal.SIGQUIT)
    worker.wait_for_log("Initiating Soft Shutdown")
    worker.send_signal(signal.SIGQUIT)
    assert worker.wait(PATIENCE) == 0
    assert "Waiting gracefully for cold shutdown to complete..." in worker.log_text
    assert eventually(lambda: wire.ready(worker.queue) == 1)


@pytest.mark.beyond_celery
def test_third_signal_ends_the_process(wire, start_swift):
    worker = start_swift(concurrency=2, arguments=["task_acks_late=1"])
    cancelled_result(wire, worker, ("demo.block", (600,)))
    worker.send_signal(signal.SIGQUIT)
    worker.wait_for_log("Cold shutdown")
    # Signals of two kinds, which the system does not take for one.
    worker.send_signal(signal.SIGQUIT)
    worker.send_signal(signal.SIGINT)
    assert worker.wait(PATIENCE) == 1
    assert eventually(lambda: wire.ready(worker.queue) == 1, PATIENCE)


@pytest.mark.beyond_celery
def test_grace_period_puts_late_tasks_back_before_the_kill(app, wire, start_swift):
    """As in Kubernetes: SIGTERM, and SIGKILL some time later. Nobody has to send anything in between."""
    worker = start_swift(concurrency=2, arguments=["--shutdown-grace", "3", "task_acks_late=1"])
    short = app.send_task("demo.sleep", (1.5,), queue=worker.queue)
    app.send_task("demo.sleep", (600,), queue=worker.queue)
    worker.wait_for_log(r"(?s)(?:received.*){2}")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(PATIENCE) == 0
    assert short.get(timeout=TIMEOUT) == 1.5
    assert eventually(lambda: wire.ready(worker.queue) == 1)
    assert "The grace period is over" in worker.log_text
