"""Probes and metrics of a Swift worker: by HTTP, and by its health file."""
import contextlib
import os
import pathlib
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest

import harness
import processes
from harness import BROKER_URL, PATIENCE, SWCELERY, eventually, with_port
from proxy import Proxy

pytestmark = pytest.mark.beyond_celery


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Health:
    """The HTTP side of a worker."""

    def __init__(self, port):
        self.port = port

    def ask(self, path, timeout=PATIENCE):
        """Status and text."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=timeout) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read().decode()

    def becomes(self, path, status):
        def has_become():
            with contextlib.suppress(OSError):
                return self.ask(path)[0] == status
        eventually(has_become, PATIENCE, f"{path} answers {status}")

    def metrics(self):
        """The samples: {(name, labels): value}."""
        status, text = self.ask("/metrics")
        assert status == 200
        samples = {}
        for line in text.splitlines():
            if not line.startswith("#"):
                name, labels, value = re.fullmatch(r'(\w+)(\{.*\})? (\S+)', line).groups()
                labels = frozenset(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels or ""))
                assert (name, labels) not in samples
                samples[name, labels] = float(value)
        return samples

    def metric(self, name, **labels):
        return self.metrics().get((f"swcelery_{name}", frozenset(labels.items())), 0)


@pytest.fixture
def start(start_swift):
    """start(…): a worker with a port for probes, and what asks there."""
    def start(arguments=(), **options):
        port = free_port()
        worker = start_swift(arguments=["--health-port", str(port), *arguments], **options)
        health = Health(port)
        health.becomes("/ready", 200)
        return worker, health
    return start


def check(*arguments, **variables):
    """`swcelery check`: its exit code, its words, and how long it took."""
    began = time.monotonic()
    done = subprocess.run([SWCELERY, "check", *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE, env=dict(os.environ) | variables)
    return done.returncode, done.stdout + done.stderr, time.monotonic() - began


def test_metrics_tell_what_has_run(start, app):
    worker, health = start()
    assert health.ask("/live") == (200, "live\n")
    assert health.ask("/startup") == (200, "started\n")
    sums = [app.send_task("demo.add", (number, 1), queue=worker.queue) for number in range(50)]
    failures = [app.send_task("demo.fail", queue=worker.queue) for _ in range(3)]
    retried = app.send_task("demo.retry", kwargs={"times": 2}, queue=worker.queue)
    app.send_task("demo.add", (1, 1), queue=worker.queue, countdown=600)
    assert [result.get(timeout=PATIENCE) for result in sums] == list(range(1, 51))
    for failure in failures:
        with pytest.raises(Exception):
            failure.get(timeout=PATIENCE)
    retried.get(timeout=PATIENCE)
    eventually(lambda: health.metric("worker_held_eta") == 1, PATIENCE, "one task is held")
    eventually(lambda: health.metric("worker_succeeded_total") == 51, PATIENCE, "all are counted")
    eventually(lambda: health.metric("queue_unsettled", queue=worker.queue) == 1, PATIENCE, "all others are settled")
    assert health.metric("task_outcomes_total", task="demo.add", outcome="succeeded") == 50
    assert health.metric("task_outcomes_total", task="demo.fail", outcome="failed") == 3
    assert health.metric("task_outcomes_total", task="demo.retry", outcome="retried") == 2
    assert health.metric("task_outcomes_total", task="demo.retry", outcome="succeeded") == 1
    assert health.metric("task_runtime_seconds_count", task="demo.add") == 50
    assert health.metric("task_runtime_seconds_bucket", task="demo.add", le="+Inf") == 50
    assert health.metric("worker_failed_total") == 3
    assert health.metric("worker_retried_total") == 2
    # 50 sums, 3 failures, 3 tries, and what is held.
    assert health.metric("worker_received_total") == 57
    assert health.metric("queue_prefetch", queue=worker.queue) == 32
    assert health.metric("queue_consumed", queue=worker.queue) == 1
    assert health.metric("worker_slots") == 8


def test_latency_counts_from_the_publishing_on(start, app):
    worker, health = start(concurrency=1)
    results = [app.send_task("demo.sleep", (0.5,), queue=worker.queue, timestamp=int(time.time())) for _ in range(3)]
    for result in results:
        result.get(timeout=PATIENCE)
    assert health.metric("task_queue_latency_seconds_count", task="demo.sleep") == 3
    # The second waits half a second, the third a whole one; the property has whole seconds, and was cut off.
    assert 1.4 <= health.metric("task_queue_latency_seconds_sum", task="demo.sleep") < PATIENCE
    assert health.metric("task_runtime_seconds_sum", task="demo.sleep") >= 1.4


@pytest.fixture
def proxy():
    """The way to the broker, which can be closed."""
    with Proxy(*harness.address(BROKER_URL)) as proxy:
        yield proxy


def test_a_worker_without_its_broker_lives_and_is_not_ready(start, app, proxy):
    worker, health = start(broker=with_port(BROKER_URL, proxy.port))
    proxy.refuse()
    proxy.cut()
    health.becomes("/ready", 503)
    assert health.ask("/live") == (200, "live\n")
    assert health.ask("/startup")[0] == 200
    assert health.metric("worker_ready") == 0
    proxy.accept()
    health.becomes("/ready", 200)
    assert app.send_task("demo.add", (2, 3), queue=worker.queue).get(timeout=PATIENCE) == 5
    assert health.metric("worker_reconnects_total") >= 1
    assert health.metric("worker_ready") == 1


def test_a_worker_that_finds_no_broker_has_not_started(start_swift, proxy, tmp_path):
    port = free_port()
    file = tmp_path / "w.health"
    proxy.refuse()
    worker = start_swift(
        broker=with_port(BROKER_URL, proxy.port), ready=False, arguments=["--health-port", str(port), "--health-file", str(file)])
    health = Health(port)
    health.becomes("/live", 200)
    assert health.ask("/startup")[0] == 503
    assert health.ask("/ready") == (503, "not ready: starting: not connected to the broker\n")
    eventually(lambda: check("live", "--health-file", file)[0] == 0, PATIENCE, "live by its file")
    assert check("startup", "--health-file", file)[0] == 1
    proxy.accept()
    health.becomes("/startup", 200)
    eventually(lambda: check("ready", "--health-file", file)[0] == 0, PATIENCE, "ready by its file, too")
    assert worker.stop() == 0


def test_a_worker_that_shuts_down_is_not_ready(start, app, tmp_path):
    file = tmp_path / "w.health"
    worker, health = start(arguments=["--health-file", str(file)])
    result = app.send_task("demo.sleep", (20,), queue=worker.queue)
    eventually(lambda: health.metric("worker_busy_slots") == 1, PATIENCE, "it runs")
    worker.send_signal(signal.SIGTERM)
    health.becomes("/ready", 503)
    assert health.ask("/ready")[1] == "not ready: shutting down\n"
    assert health.ask("/live")[0] == 200
    assert health.metric("worker_busy_slots") == 1
    eventually(lambda: check("ready", "--health-file", file)[0] == 1, PATIENCE, "not ready by its file")
    assert check("live", "--health-file", file)[0] == 0
    assert result.get(timeout=PATIENCE) == 20
    assert worker.wait() == 0
    assert not file.exists()
    with pytest.raises(OSError):
        health.ask("/live")


def test_slow_clients_keep_nobody_out_for_long(start, app):
    worker, health = start()
    with contextlib.ExitStack() as stack:
        for number in range(100):
            client = stack.enter_context(socket.socket())
            client.settimeout(PATIENCE)
            client.connect(("127.0.0.1", health.port))
            if number % 2:
                with contextlib.suppress(OSError):
                    client.sendall(b"GET /live HTTP/1.1\r\nHost: ")
        # Tasks know nothing of it.
        assert app.send_task("demo.add", (2, 3), queue=worker.queue).get(timeout=PATIENCE) == 5
        health.becomes("/live", 200)
    assert health.metric("worker_succeeded_total") == 1


@pytest.mark.parametrize("request_text", [
    b"POST /live HTTP/1.1\r\nContent-Length: 1000000000\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00", b"GET /live\r\n\r\n",
    b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n", b"GET /live HTTP/1.1\r\n" + b"A: b\r\n" * 10_000 + b"\r\n",
], ids=["post", "tls", "http-0.9", "long", "headers"])
def test_odd_requests_are_cut_off(start, request_text):
    _, health = start()
    with socket.create_connection(("127.0.0.1", health.port), PATIENCE) as client:
        with contextlib.suppress(ConnectionError):
            client.sendall(request_text)
            answer = b""
            while piece := client.recv(65_536):
                answer += piece
            assert b"200" not in answer.split(b"\r\n")[0]
    assert health.ask("/live")[0] == 200


def test_children_do_not_have_the_port(start, app):
    worker, health = start(arguments=["-P", "processes"], concurrency=2)
    assert app.send_task("demo.add", (1, 1), queue=worker.queue).get(timeout=PATIENCE) == 2
    children = processes.children(worker.process.pid)
    assert len(children) == 2
    listening = {
        fields[9] for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]
        if (fields := line.split())[3] == "0A" and int(fields[1].split(":")[1], 16) == health.port}
    assert len(listening) == 1
    held = {os.readlink(entry) for child in children for entry in pathlib.Path(f"/proc/{child}/fd").iterdir()}
    assert held.isdisjoint(f"socket:[{inode}]" for inode in listening)
    assert health.metric("worker_child_starts_total") == 2


def test_a_port_that_is_taken_is_an_error(start, start_swift):
    _, health = start()
    worker = start_swift(ready=False, arguments=["--health-port", str(health.port)])
    assert worker.wait(PATIENCE) == 1
    assert f"Cannot listen on 127.0.0.1:{health.port}" in worker.log_text


# The health file


def test_check_tells_of_a_worker_that_hangs(start, tmp_path):
    file = tmp_path / "w.health"
    worker, _ = start(arguments=["--health-file", str(file)])
    for question in ["live", "ready", "startup"]:
        eventually(lambda: check(question, "--health-file", file)[0] == 0, PATIENCE, question)
    assert check(CELERY_WORKER_HEALTH_FILE=str(file))[0] == 0
    worker.send_signal(signal.SIGSTOP)
    try:
        eventually(lambda: check("--health-file", file)[0] == 1, PATIENCE, "not live")
        assert re.search(r"has not answered for \d+ s", check("--health-file", file)[1])
    finally:
        worker.send_signal(signal.SIGCONT)
    eventually(lambda: check("--health-file", file)[0] == 0, PATIENCE, "live again")
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    code, text, _ = check("--health-file", file)
    assert (code, "does not run any more" in text) == (69, True)


def test_check_says_what_is_wrong(tmp_path):
    missing = check("--health-file", tmp_path / "none")
    assert missing[0] == 69 and "There is no health file" in missing[1]
    assert check()[0] == 2
    assert check("healthy", "--health-file", tmp_path / "none")[0] == 2
    open_to_all = tmp_path / "open"
    open_to_all.write_text("{}")
    open_to_all.chmod(0o666)
    code, text, _ = check("--health-file", open_to_all)
    assert (code, "can be written by others" in text) == (69, True)


def test_a_health_file_needs_its_folder(start_swift):
    worker = start_swift(ready=False, arguments=["--health-file", "/nonexistent/w.health"])
    assert worker.wait(PATIENCE) == 73
    assert "Cannot write the health file '/nonexistent/w.health'" in worker.log_text


def test_a_restarted_worker_goes_on_with_its_file(start, tmp_path):
    file = tmp_path / "%n.health"
    worker, health = start(arguments=["--health-file", str(file)])
    path = next(tmp_path.glob("*.health"))
    worker.send_signal(signal.SIGHUP)
    worker.wait_for_log("Restarting celery worker")
    health.becomes("/ready", 200)
    eventually(lambda: check("ready", "--health-file", path)[0] == 0, PATIENCE, "ready again")
    assert worker.stop() == 0
    assert not path.exists()
