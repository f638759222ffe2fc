"""The network misbehaves: connections are half-open, cut in the middle of a frame, slow, or carry a wrong byte.

Worker and client connect through the fault proxy, the Python client past it. The worker lives on and work is answered, whatever happens.
"""
import json
import os
import pathlib
import subprocess
import threading
import time

import pytest

import harness
from harness import BROKER_URL, PATIENCE, SWCELERY, client_app, eventually, text_of, unique, with_port
from journal import Reader
from proxy import Proxy

pytestmark = pytest.mark.skipif(harness.STAND_IN, reason="about the connections of the Swift worker and client")

HEARTBEAT = 2
SLACK = 3.0
# The client notices after two heartbeats. Where only its own bytes are lost the broker has to, which looks every heartbeat.
NOTICED = {"both": 2 * HEARTBEAT + SLACK, "from-broker": 2 * HEARTBEAT + SLACK, "to-broker": 3 * HEARTBEAT + SLACK}
DIRECTIONS = list(NOTICED)
ONE_WAY = ["to-broker", "from-broker"]


@pytest.fixture
def proxy():
    address = harness.address(BROKER_URL)
    with Proxy(*address) as proxy:
        yield proxy


@pytest.fixture
def url(proxy):
    return with_port(BROKER_URL, proxy.port, f"heartbeat={HEARTBEAT}")


@pytest.fixture
def worker(start_swift, url):
    return start_swift(broker=url)


class Stream:
    """Tasks that a Python client sends past the proxy all the time, and whose results it counts."""

    def __init__(self, queue, payload=0, pause=0.01):
        self.queue = queue
        self.body = "x" * payload
        self.pause = pause
        self.results = []
        self.app = client_app()
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._send, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        self.app.close()

    def _send(self):
        while not self.ended.wait(self.pause):
            self.results.append(self.app.send_task("demo.echo", (len(self.results), self.body), queue=self.queue))

    def wait_for_results(self):
        """Every task that was sent is answered rightly; more than none."""
        self.ended.set()
        self.thread.join()
        assert self.results
        for number, result in enumerate(self.results):
            assert result.get(timeout=PATIENCE)["args"] == [number, self.body]


def answers(app, worker):
    assert worker.process.poll() is None, worker.log_text
    return app.send_task("demo.add", (2, 3), queue=worker.queue).get(timeout=PATIENCE) == 5


def wait_for_new_connections(proxy, known, count, timeout=PATIENCE):
    """How long until so many connections more have come."""
    started = time.monotonic()
    eventually(lambda: proxy.accepted >= known + count, timeout, f"{count} new connections")
    return time.monotonic() - started


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_half_open_while_idle(app, proxy, worker, direction):
    assert answers(app, worker)
    known, lost = proxy.accepted, proxy.connections()
    assert lost
    proxy.stall("open", direction)
    took = wait_for_new_connections(proxy, known, len(lost))
    assert took < NOTICED[direction]
    if direction != "to-broker":
        assert all(proxy.info(number)["closed_by"] == "client" for number in lost)
    assert answers(app, worker)
    assert worker.stop() == 0


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("payload", [0, 200_000], ids=["small", "large"])
def test_half_open_while_publishing_results(app, proxy, worker, direction, payload):
    with Stream(worker.queue, payload, pause=0.02) as stream:
        stream.app.send_task("demo.echo", (), queue=worker.queue).get(timeout=PATIENCE)
        known, lost = proxy.accepted, proxy.connections()
        proxy.stall("open", direction)
        assert wait_for_new_connections(proxy, known, len(lost)) < NOTICED[direction]
        stream.wait_for_results()
    assert answers(app, worker)


def test_half_open_with_full_buffers(app, proxy, worker):
    """Nobody reads what the worker sends, so that a send waits in the kernel."""
    with Stream(worker.queue, 500_000, pause=0.02) as stream:
        stream.app.send_task("demo.echo", (), queue=worker.queue).get(timeout=PATIENCE)
        known, lost = proxy.accepted, proxy.connections()
        proxy.stall("open", unread=True)
        assert wait_for_new_connections(proxy, known, len(lost)) < NOTICED["both"]
        proxy.cut("first", "fin")
        proxy.resume()
        stream.wait_for_results()
    assert answers(app, worker)


def test_short_stall_costs_nothing(app, proxy, worker):
    """A gap that is shorter than the heartbeats allow."""
    with Stream(worker.queue) as stream:
        stream.app.send_task("demo.echo", (), queue=worker.queue).get(timeout=PATIENCE)
        known = proxy.accepted
        for _ in range(3):
            proxy.stall()
            time.sleep(HEARTBEAT / 2)
            proxy.resume()
            time.sleep(HEARTBEAT / 4)
        stream.wait_for_results()
    assert proxy.accepted == known
    assert answers(app, worker)


@pytest.mark.parametrize(("direction", "place"), [
    ("to-broker", "type"), ("to-broker", "size"), ("to-broker", "end"), ("from-broker", "size"), ("from-broker", "end"),
])
def test_corrupt_byte(app, proxy, worker, direction, place):
    with Stream(worker.queue) as stream:
        stream.app.send_task("demo.echo", (), queue=worker.queue).get(timeout=PATIENCE)
        known = proxy.accepted
        lost = proxy.connections()
        for number in lost:
            proxy.corrupt(number, direction, place)
        wait_for_new_connections(proxy, known, len(lost))
        stream.wait_for_results()
    assert answers(app, worker)


def test_frame_of_unknown_type(app, proxy, worker):
    """librabbitmq passes over such a frame without a word, so that what it said is lost: a confirm, a delivery, a heartbeat."""
    with Stream(worker.queue) as stream:
        stream.app.send_task("demo.echo", (), queue=worker.queue).get(timeout=PATIENCE)
        for number in proxy.connections():
            proxy.corrupt(number, "from-broker", "type")
        eventually(lambda: not proxy.armed(), what="a changed frame on each connection")
        stream.wait_for_results()
    assert answers(app, worker)


@pytest.mark.parametrize("how", ["rst", "fin"])
@pytest.mark.parametrize("direction", ONE_WAY)
def test_cut_in_the_middle_of_a_frame(app, proxy, worker, direction, how):
    with Stream(worker.queue, 50_000) as stream:
        stream.app.send_task("demo.echo", (), queue=worker.queue).get(timeout=PATIENCE)
        for _ in range(3):
            known, lost = proxy.accepted, proxy.connections()
            for number in lost:
                proxy.cut_mid_frame(number, direction, how)
            wait_for_new_connections(proxy, known, len(lost))
            eventually(lambda: len(proxy.connections()) >= 2, PATIENCE, "both connections of the worker")
        stream.wait_for_results()
    assert answers(app, worker)


@pytest.mark.parametrize("direction", ONE_WAY)
def test_slow_drip_of_a_large_message(app, proxy, worker, direction):
    """It takes several heartbeats to come through; since bytes do come, nobody gives the connection up."""
    assert answers(app, worker)
    known = proxy.accepted
    proxy.drip(150_000, direction=direction)
    text = "x" * 1_500_000
    assert app.send_task("demo.echo", (text,), queue=worker.queue).get(timeout=PATIENCE)["args"] == [text]
    assert proxy.accepted == known
    assert answers(app, worker)


def test_delay(app, proxy, worker):
    assert answers(app, worker)
    known = proxy.accepted
    proxy.delay(0.5)
    results = [app.send_task("demo.add", (number, 1), queue=worker.queue) for number in range(100)]
    assert [result.get(timeout=PATIENCE) for result in results] == [number + 1 for number in range(100)]
    time.sleep(3 * HEARTBEAT)
    assert proxy.accepted == known
    assert answers(app, worker)


@pytest.mark.parametrize("direction", ["both", "from-broker"])
def test_stalled_handshake(app, proxy, worker, direction):
    """The worker lost its connections, and new ones are accepted but nobody speaks: each try ends, and later ones succeed."""
    assert answers(app, worker)
    known = proxy.accepted
    proxy.stall("new", direction)
    proxy.cut()
    wait_for_new_connections(proxy, known, 3)
    time.sleep(1)
    proxy.resume("new")
    assert answers(app, worker)


def test_stalled_handshake_at_the_start(app, proxy, start_swift, url, wire):
    proxy.stall("new")
    worker = start_swift(broker=url, ready=False)
    wait_for_new_connections(proxy, 0, 3)
    proxy.resume("new")
    worker.wait_until_ready(wire, timeout=PATIENCE)
    assert answers(app, worker)
    assert worker.stop() == 0


@pytest.fixture
def tls_proxy():
    url = os.environ.get("RABBITMQ_TLS_URL")
    if not url:
        pytest.skip("the broker speaks no TLS")
    with Proxy(*harness.address(url)) as proxy:
        yield proxy


@pytest.fixture
def tls_worker(tls_proxy, start_swift):
    options = f"heartbeat={HEARTBEAT}&ssl_ca_certs={os.environ['RABBITMQ_TLS_CA']}"
    return start_swift(broker=with_port(os.environ["RABBITMQ_TLS_URL"], tls_proxy.port, options))


@pytest.mark.parametrize("fault", [
    lambda proxy: proxy.cut(),
    lambda proxy: proxy.stall("open"),
    lambda proxy: [proxy.corrupt(number, "from-broker") for number in proxy.connections()],
    lambda proxy: [proxy.cut_mid_frame(number, "to-broker", "fin") for number in proxy.connections()],
], ids=["cut", "half-open", "corrupt byte", "cut in a record"])
def test_tls(app, tls_proxy, tls_worker, fault):
    assert answers(app, tls_worker)
    known, lost = tls_proxy.accepted, tls_proxy.connections()
    fault(tls_proxy)
    wait_for_new_connections(tls_proxy, known, len(lost))
    assert answers(app, tls_worker)


def test_tls_handshake_that_stalls(app, tls_proxy, tls_worker):
    assert answers(app, tls_worker)
    known = tls_proxy.accepted
    tls_proxy.stall("new", "from-broker")
    tls_proxy.cut()
    wait_for_new_connections(tls_proxy, known, 3)
    tls_proxy.resume("new")
    assert answers(app, tls_worker)


@pytest.fixture
def call(url):
    """Starts `swcelery call demo.sleep --wait` through the proxy."""
    started = []

    def call(queue, seconds):
        command = [SWCELERY, "call", "demo.sleep", "--args", f"[{seconds}]", "--queue", queue, "--wait", "--timeout", str(PATIENCE), "-b", url]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield call
    for process in started:
        process.kill()
        process.communicate()


CLIENT_FAULTS = {
    "cut": lambda proxy: proxy.cut(),
    "half-open": lambda proxy: proxy.stall("open"),
    "half-open from the broker": lambda proxy: proxy.stall("open", "from-broker"),
    "half-open to the broker": lambda proxy: proxy.stall("open", "to-broker"),
    "corrupt byte": lambda proxy: [proxy.corrupt(number) for number in proxy.connections()],
    "cut in a frame": lambda proxy: [proxy.cut_mid_frame(number) for number in proxy.connections()],
    "delay": lambda proxy: proxy.delay(0.5),
    "slow drip": lambda proxy: proxy.drip(2000),
}


@pytest.mark.parametrize("fault", CLIENT_FAULTS.values(), ids=CLIENT_FAULTS)
@pytest.mark.parametrize("meanwhile", [1, 5], ids=["result comes at once", "result comes later"])
def test_client_waits_for_a_result(proxy, call, swift, fault, meanwhile):
    """The fault comes while the task runs; its result comes before the client has noticed, or after it."""
    process = call(swift.queue, float(meanwhile + 2))
    swift.wait_for_log(rf"\[{process.stderr.readline().strip()}\] received")
    fault(proxy)
    output, errors = process.communicate(timeout=2 * PATIENCE)
    assert (process.returncode, output.strip()) == (0, str(float(meanwhile + 2))), errors


@pytest.mark.parametrize("fault", ["stall", "refuse"])
def test_client_sends_while_the_network_is_away(proxy, call, swift, fault):
    """A send lives through an outage that its retry policy covers."""
    if fault == "stall":
        proxy.stall("new")
    else:
        proxy.refuse()
    process = call(swift.queue, 0.1)
    time.sleep(0.5)
    proxy.calm()
    output, errors = process.communicate(timeout=2 * PATIENCE)
    assert (process.returncode, output.strip()) == (0, "0.1"), errors



@pytest.mark.parametrize("direction", DIRECTIONS)
def test_client_publishes_into_a_half_open_connection(proxy, url, wire, tmp_path, direction):
    """It notices, connects anew, sends again what was not confirmed, and what it says is confirmed is there."""
    queue, journal = unique("published"), tmp_path / "journal"
    wire.created.append(queue)

    def labels(word):
        return {label for _, (found, label, *_) in Reader(journal).entries() if found == word}

    command = [pathlib.Path(harness.EXAMPLE_WORKER).with_name("chaosclient"), queue, journal, "1", "100000", "100"]
    with open(tmp_path / "client.log", "wb") as log:
        client = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log, env=dict(os.environ, CELERY_BROKER_URL=url))
    try:
        eventually(lambda: len(labels("confirmed")) > 50, PATIENCE, "tasks are published")
        known, lost = proxy.accepted, proxy.connections()
        proxy.stall("open", direction)
        assert wait_for_new_connections(proxy, known, len(lost)) < NOTICED[direction]
        sent = labels("sent")
        eventually(lambda: sent <= labels("confirmed"), PATIENCE, "everything that was sent meanwhile is confirmed")
    finally:
        client.kill()
        client.wait()
    confirmed = labels("confirmed")
    published = {json.loads(text_of(wire.get(queue)))[0][0] for _ in range(wire.ready(queue))}
    assert confirmed <= published
