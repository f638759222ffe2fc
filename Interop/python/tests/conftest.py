"""Fixtures: a client on the backend, a task queue and a collector of its own for each test, and what is in them."""
import collections
import json
import os
import pathlib
import sys

import pytest
from celery import Celery
from harness import BROKER_URL, Wire, Worker, eventually, unique

BACKEND = "swcelery_chords:ChordRPCBackend"
HERE = pathlib.Path(__file__).parent

Task = collections.namedtuple("Task", "name id group index reply_to ignores chord chain headers")


def pytest_configure(config):
    if not BROKER_URL:
        raise pytest.UsageError("RABBITMQ_URL is needed; Interop/test.sh sets it")


class Place:
    """A task queue and a collector, and what has been published to them."""

    def __init__(self, wire, prefix, queues=1):
        self.wire = wire
        self.prefix = prefix
        self.queues = queues
        self.task_queue = unique("tasks")
        self.settings = {
            "chord_queue_prefix": prefix, "chord_queues": queues, "task_default_queue": self.task_queue,
            "broker_transport_options": {"confirm_publish": True},  # what has been sent can be read
        }
        wire.created += [self.task_queue, *self.collector_queues]

    @property
    def collector_queues(self):
        return [f"{self.prefix}.{number}" for number in range(self.queues)]

    def app(self, backend=BACKEND, **settings):
        app = Celery(unique("client"), broker=BROKER_URL, backend=backend, set_as_current=False)
        app.conf.update(**{**self.settings, **settings})
        return app

    def environment(self, **more):
        return {"CHORD_PREFIX": self.prefix, "CHORD_QUEUES": str(self.queues), "CHORD_TASK_QUEUE": self.task_queue, **more}.items()

    def messages(self, queue):
        """All that waits in a queue, taken out of it."""
        found = []
        while self.wire.ready(queue):
            found.append(self.wire.channel.basic_get(queue, no_ack=True))
        return found

    def manifests(self):
        return [json.loads(message.body) for queue in self.collector_queues for message in self.messages(queue)]

    def tasks(self):
        """The published tasks by name."""
        return {task.name: task for task in map(_task, self.messages(self.task_queue))}

    def part(self, timeout=30):
        """The next message in the collector queue, and its body as a map."""
        queue = self.collector_queues[0]
        eventually(lambda: self.wire.ready(queue), timeout, f"a message in {queue}")
        message = self.wire.get(queue)
        return message, json.loads(message.body)


def _task(message):
    embed = json.loads(message.body)[2]
    headers = message.headers
    return Task(
        headers["task"], headers["id"], headers["group"], headers["group_index"], message.properties.get("reply_to"), headers["ignore_result"],
        embed["chord"], embed["chain"], headers,
    )


@pytest.fixture
def wire():
    wire = Wire()
    yield wire
    wire.close()


@pytest.fixture
def own_place(wire):
    """A place that nobody else uses."""
    return Place(wire, unique("chords"))


@pytest.fixture
def place(own_place):
    return own_place


@pytest.fixture
def app(place):
    app = place.app()
    yield app
    app.close()


@pytest.fixture
def start_worker(tmp_path):
    """Starts Celery workers on a place, with this package or with CHORD_BACKEND=rpc:// without it."""
    yield from _starting(tmp_path)


@pytest.fixture(scope="module")
def shared_place(tmp_path_factory):
    """A place with one worker for all tests of a module."""
    wire = Wire()
    place = Place(wire, unique("chords"))
    for start in _starting(tmp_path_factory.mktemp("shared")):
        start(place)
        yield place
    wire.close()


def _starting(folder):
    workers = []

    def start(place, *arguments, **environment):
        queue = place.task_queue
        command = [sys.executable, "-m", "celery", "-A", "chordapp", "worker", "-Q", queue, "-n", f"{unique('w')}@%h", "-l", "info", "-P", "threads",
                   "-c", "4", "--without-mingle", "--without-gossip", *arguments]
        path = os.pathsep.join([str(HERE), str(HERE.parent), os.environ.get("PYTHONPATH", "")])
        worker = Worker(command, [queue], folder / f"{len(workers)}.log", environment=place.environment(PYTHONPATH=path, **environment))
        workers.append(worker)
        return worker.wait_until_ready(place.wire)

    yield start
    for worker in workers:
        worker.end()
