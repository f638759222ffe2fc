"""Fleets of workers that run the workflows, each with queues, a journal and, for chords, a store or a collector of its own."""
import dataclasses
import gc
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

import kombu
from celery import current_app

import harness
from harness import PATIENCE, TIMEOUT, Wire, Worker, unique
from kit import Kit
from observation import ClientObserver, Observer
from proj.flows import make_app

YARDSTICK = "redis"
BACKEND = "swcelery_chords:ChordRPCBackend"


@dataclasses.dataclass(frozen=True)
class Kind:
    """Which workers a fleet has, in the order in which the tasks of a workflow go to them."""

    workers: tuple
    backend: str = BACKEND
    # Whether there is a Swift worker beside them that runs no task: only the chords' results are its matter.
    collector: bool = False


KINDS = {
    YARDSTICK: Kind(("python",)),
    "python": Kind(("python",), collector=True),
    "processes": Kind(("swift-processes",)),
    "tasks": Kind(("swift-tasks",)),
    "swift-python": Kind(("swift-tasks", "python")),
    "python-swift": Kind(("python", "swift-processes")),
}


class Redis:
    """A private Redis server on the loopback that writes nothing; only the yardstick uses it."""

    def __init__(self, folder):
        executable = shutil.which("redis-server")
        assert executable, "redis-server is missing: Interop/test.sh installs it"
        self.port = free_port()
        self.log = open(folder / "redis.log", "wb")
        self.process = subprocess.Popen(
            [executable, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT,
        )

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    def end(self):
        self.process.terminate()
        self.process.wait(10)
        self.log.close()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Fleet:
    """Workers of one kind, and the client that sends workflows to them."""

    def __init__(self, name, folder: pathlib.Path):
        self.name = name
        self.kind = KINDS[name]
        self.folder = folder
        self.wire = Wire()
        self.default_queue = unique(f"{name}-default")
        self.journal = self.wire.declare(unique(f"{name}-journal"))
        self.redis = Redis(folder) if name == YARDSTICK else None
        self.backend = self.redis.url if self.redis else self.kind.backend
        self.prefix = unique(f"{name}.chord")
        self.app = make_app(harness.BROKER_URL, self.backend, self.default_queue, self.prefix, set_as_current=False)
        self.workers = []
        for worker in self.kind.workers:
            self._start(worker, [unique(f"{name}-{worker}"), self.default_queue])
        if self.kind.collector:
            self._start("swift-tasks", [unique(f"{name}-unused")])
        self.swift_client = None
        self.observers = {}
        self.observations = {}

    def _start(self, kind, queues):
        environment = {"FLOW_BACKEND": self.backend, "FLOW_DEFAULT_QUEUE": self.default_queue, "FLOW_CHORD_PREFIX": self.prefix}
        if kind == "python":
            command = [sys.executable, "-m", "celery", "-A", "proj.flows", "worker", "-P", "threads", "-c", "8", "-l", "info"]
        else:
            command = [harness.FLOW_WORKER, "worker", "-P", kind.removeprefix("swift-"), "-c", "4", "-l", "info"]
        command += ["-Q", ",".join(queues), "-n", f"{self.name}-{kind}@%h"]
        self.workers.append(Worker(command, queues, self.folder / f"{kind}.log", environment=environment.items()))

    def wait_until_ready(self):
        for worker in self.workers:
            worker.wait_until_ready(self.wire, timeout=PATIENCE)

    @property
    def task_queues(self):
        return [worker.queue for worker in self.workers[:len(self.kind.workers)]]

    def send_from_swift(self):
        """Starts the Swift client, which sends workflows of its own."""
        command = [harness.FLOW_CLIENT, self.default_queue, self.journal, self.prefix]
        self.swift_client = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=dict(os.environ, CELERY_BROKER_URL=harness.BROKER_URL),
        )

    def send(self, workflows):
        """Sends all workflows; one that cannot be sent says so when it is asked for."""
        before = current_app._get_current_object()
        self.app.set_current()
        try:
            for workflow in workflows:
                kit = Kit(self.app, self.task_queues, self.journal, workflow.name)
                try:
                    self.observers[workflow.name] = Observer(workflow, workflow.send(kit), self.name)
                except Exception as error:
                    self.observers[workflow.name] = error
        finally:
            before.set_current()

    def collect(self, deadline):
        """What came of each workflow until then."""
        sent = [observer for observer in self.observers.values() if isinstance(observer, Observer)]
        for observer in sent:
            observer.wait(deadline)
        if self.swift_client:
            self._collect_from_swift(deadline)
        while time.monotonic() < deadline and not all(observer.has_all_calls for observer in sent):
            self._read_journal(0.1)

    def _collect_from_swift(self, deadline):
        """Every line tells the outcome of a workflow."""
        output, _ = self.swift_client.communicate(timeout=max(TIMEOUT, deadline - time.monotonic()))
        for line in map(json.loads, output.splitlines()):
            self.observers[f"swift.{line['name']}"] = ClientObserver(line["outcome"])

    def settle(self):
        """What nobody expects has had time to come: from here on only the observations count."""
        self._read_journal(0)
        for name, observer in self.observers.items():
            self.observations[name] = observer if isinstance(observer, Exception) else observer.observation()
            if isinstance(observer, Observer):
                observer.close()
        self.observers = {}

    def _read_journal(self, pause):
        message = self.wire.channel.basic_get(self.journal, no_ack=True)
        if message is None:
            time.sleep(pause)
        while message is not None:
            self.observers[json.loads(message.body)[1]["flow"]].add_call(message)
            message = self.wire.channel.basic_get(self.journal, no_ack=True)

    def observe(self, name):
        """What came of a workflow; raises the error where it could not be sent."""
        observation = self.observations[name]
        if isinstance(observation, Exception):
            raise observation
        return observation

    @property
    def log_text(self):
        return "\n".join(f"{worker.log_path}:\n{worker.log_text[-3000:]}" for worker in self.workers)

    def end(self):
        # Results that nobody holds any more unsubscribe, for which the store has to be there.
        self.observers, self.app = {}, None
        gc.collect()
        if self.swift_client:
            self.swift_client.kill()
        for worker in self.workers:
            worker.end()
        if self.redis:
            self.redis.end()
        self.wire.delete(*[queue for worker in self.workers for queue in worker.queues])
        self.wire.close()
