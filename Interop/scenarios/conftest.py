"""Fixtures: one Swift worker and one Python worker that every test may use, and workers that a test starts for itself."""
import os
import pathlib
import subprocess

import pytest

import harness
from harness import Wire, Worker, client_app, python_command, swift_command, unique


def pytest_configure(config):
    if not harness.BROKER_URL or not harness.SWCELERY:
        raise pytest.UsageError("RABBITMQ_URL and SWCELERY (the executable) are needed; Interop/test.sh sets both")


def pytest_collection_modifyitems(items):
    reasons = {
        "beyond_celery": harness.STAND_IN and "Celery's own worker differs here",
        "private_broker": not harness.BROKER_CONTROL and "needs a private broker (unset RABBITMQ_URL)",
    }
    for item in items:
        for name, reason in reasons.items():
            if reason and item.get_closest_marker(name):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows the end of the log of each worker that it used."""
    report = yield
    if report.failed:
        for value in item.funcargs.values():
            for worker in value if isinstance(value, list) else [value]:
                if isinstance(worker, Worker):
                    report.sections.append((f"log of {worker.log_path.name}", worker.log_text[-4000:]))
    return report


@pytest.fixture(scope="session")
def log_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="session")
def session_wire():
    wire = Wire()
    yield wire
    wire.close()


@pytest.fixture
def wire():
    wire = Wire()
    yield wire
    wire.close()


@pytest.fixture(scope="session")
def app():
    """The Python client."""
    return client_app()


@pytest.fixture(scope="session")
def swift(session_wire, log_folder):
    """The Swift worker: two queues, eight tasks at once."""
    queues = [unique("swift"), unique("low-priority")]
    yield from _serve(Worker(swift_command(queues), queues, log_folder / "swift.log"), session_wire)


@pytest.fixture(scope="session")
def python(session_wire, log_folder):
    """The Python worker."""
    queues = [unique("python")]
    yield from _serve(Worker(python_command(queues), queues, log_folder / "python.log"), session_wire)


def _serve(worker, wire):
    try:
        yield worker.wait_until_ready(wire)
    finally:
        worker.end()
        wire.delete(*worker.queues)


@pytest.fixture(scope="module")
def broker():
    """A broker which the tests of a file may treat as they like."""
    script = ["sh", "-c", 'printf "%s\\n%s\\n" "$RABBITMQ_URL" "$RABBITMQ_CONTROL"; exec cat']
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RABBITMQ_")}
    process = subprocess.Popen([harness.BROKER_SCRIPT, "run", *script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
    url, control = process.stdout.readline().strip(), process.stdout.readline().strip()
    if not url:
        pytest.skip("no private broker can be started")
    yield harness.Broker(url, control)
    process.stdin.close()
    process.wait(30)


@pytest.fixture
def start_swift(wire, tmp_path):
    """start_swift(queues=[…], concurrency=…): a Swift worker of this test alone."""
    yield from _starter(wire, tmp_path, swift_command, "swift")


@pytest.fixture(scope="module")
def example(session_wire, tmp_path_factory):
    """The worker of examples/demo, started by `swcelery -A`."""
    if not harness.EXAMPLE_WORKER:
        pytest.skip("SWCELERY_EXAMPLE_WORKER names no executable")
    queues = [unique("example")]
    command = swift_command(queues, name="example", executable=harness.SWCELERY)
    command[1:1] = ["-A", harness.EXAMPLE_WORKER]
    yield from _serve(Worker(command, queues, tmp_path_factory.mktemp("example") / "example.log"), session_wire)


@pytest.fixture
def start_python(wire, tmp_path):
    yield from _starter(wire, tmp_path, python_command, "python")


def _starter(wire, folder: pathlib.Path, make_command, kind):
    started = []

    def start(queues=None, others=0, ready=True, **options):
        queues = queues or [unique(kind)]
        name = options.setdefault("name", f"{kind}{len(started) + 1}")
        broker = options.setdefault("broker", wire.url)
        worker = Worker(make_command(queues, **options), queues, folder / f"{name}.log", broker)
        started.append(worker)
        return worker.wait_until_ready(wire, others) if ready else worker

    try:
        yield start
    finally:
        for worker in started:
            worker.end()
        for worker in started:
            wire.delete(*worker.queues)
