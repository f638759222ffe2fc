"""What the scenarios share: worker processes, and the broker without Celery in between."""
import contextlib
import json
import os
import pathlib
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import uuid

import amqp
import kombu
from celery import Celery

BROKER_URL = os.environ.get("RABBITMQ_URL", "")
SWCELERY = os.environ.get("SWCELERY", "")
EXAMPLE_WORKER = os.environ.get("SWCELERY_EXAMPLE_WORKER", "")
OUTCOME_WORKER = os.environ.get("SWCELERY_OUTCOME_WORKER", "")
FLOW_WORKER = os.environ.get("SWCELERY_FLOW_WORKER", "")
FLOW_CLIENT = os.environ.get("SWCELERY_FLOW_CLIENT", "")
BROKER_CONTROL = os.environ.get("RABBITMQ_CONTROL", "")
STAND_IN = SWCELERY == "python"
HOSTNAME = socket.gethostname()

BROKER_SCRIPT = pathlib.Path(__file__).parent.parent / "broker.sh"

TIMEOUT = 20
PATIENCE = 3 * TIMEOUT
EMBED = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}


def unique(prefix):
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def eventually(condition, timeout=TIMEOUT, what="the condition", interval=0.05):
    """The first true value of condition()."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {timeout} s")
        time.sleep(interval)


def client_app(broker=BROKER_URL, **configuration):
    """A Celery client that has no task of its own: tasks are known by name only."""
    app = Celery(unique("client"), broker=broker, backend="rpc://", set_as_current=False)
    app.conf.update(**configuration)
    return app


class Worker:
    """A worker process, its queues and its log."""

    def __init__(self, command, queues, log_path, broker=BROKER_URL, environment=(), stdin=subprocess.DEVNULL):
        self.command = command
        self.queues = queues
        self.log_path = pathlib.Path(log_path)
        self.log = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            command, stdout=self.log, stderr=subprocess.STDOUT, stdin=stdin, env=dict(os.environ, CELERY_BROKER_URL=broker, **dict(environment)),
        )

    @property
    def queue(self):
        return self.queues[0]

    @property
    def log_text(self):
        return self.log_path.read_text(errors="replace")

    def wait_until_ready(self, wire, others=0, timeout=30):
        """Every queue has a consumer more than the `others`."""
        def ready():
            assert self.process.poll() is None, f"the worker ended with status {self.process.returncode}:\n{self.log_text}"
            return all(wire.consumers(queue) > others for queue in self.queues)
        eventually(ready, timeout, "the worker is ready")
        return self

    def wait_for_log(self, pattern, timeout=TIMEOUT):
        return eventually(lambda: re.search(pattern, self.log_text), timeout, f"{pattern!r} in the log of the worker")

    def send_signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=TIMEOUT):
        """The exit status."""
        return self.process.wait(timeout)

    def stop(self, number=signal.SIGTERM, timeout=TIMEOUT):
        if self.process.poll() is None:
            self.send_signal(number)
        return self.wait(timeout)

    def end(self):
        """Whatever its state, it is gone afterwards."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()


def swift_command(queues, concurrency=8, name="swift", arguments=(), executable=None, broker=BROKER_URL):
    """The command line of the Swift worker. With SWCELERY=python Celery's own worker stands in, to check the scenarios themselves."""
    if STAND_IN:
        threads = ["-P", "threads", "-c", str(concurrency), "-n", f"{name}@%h", "-l", "info"]
        return [sys.executable, "-m", "celery", "-A", "proj", "-b", broker, "worker", "-Q", ",".join(queues), *threads, *arguments]
    return [executable or SWCELERY, "worker", "-Q", ",".join(queues), "-c", str(concurrency), "-n", f"{name}@%h", "-l", "info",
            "-P", "tasks", "-b", broker, *arguments]


def python_command(queues, concurrency=2, name="python", arguments=(), broker=BROKER_URL):
    return [sys.executable, "-m", "celery", "-A", "proj", "-b", broker, "worker", "-Q", ",".join(queues), "-c", str(concurrency), "-n", f"{name}@%h",
            "-l", "info", "-P", "threads", *arguments]


class Wire:
    """The broker by AMQP alone: raw messages in and out, and what its queues hold."""

    def __init__(self, url=BROKER_URL):
        self.url = url
        self.connection = kombu.Connection(url)
        self.connection.connect()
        self.channel = self.connection.channel()
        self.created = []

    def close(self):
        for queue in self.created:
            self.delete(queue)
        with contextlib.suppress(Exception):
            self.connection.close()

    def declare(self, queue=None, **arguments):
        """Declares a queue as Celery does, with `arguments` on top. Deleted at the end of the test."""
        queue = queue or unique("queue")
        self.channel.queue_declare(queue, durable=True, auto_delete=False, arguments=arguments or None)
        self.created.append(queue)
        return queue

    def delete(self, *queues):
        for queue in queues:
            with contextlib.suppress(amqp.ChannelError):
                self.channel.queue_delete(queue)
            self._reopen_after_error()

    def _reopen_after_error(self):
        if not self.channel.is_open:
            self.channel = self.connection.channel()

    def _status(self, queue):
        try:
            return self.channel.queue_declare(queue, passive=True)
        except amqp.NotFound:
            self._reopen_after_error()
            return None

    def ready(self, queue):
        """How many messages wait in the queue; unacknowledged ones do not count."""
        status = self._status(queue)
        return status.message_count if status else 0

    def consumers(self, queue):
        status = self._status(queue)
        return status.consumer_count if status else 0

    def publish(self, queue, body, headers=None, exchange="", **properties):
        """Publishes exactly this: no property is added. With an exchange, `queue` is the routing key."""
        body = body.encode() if isinstance(body, str) else body
        self.channel.basic_publish(amqp.Message(body, application_headers=headers or {}, **properties), exchange=exchange, routing_key=queue)

    def publish_task(self, queue, task, args=(), kwargs=None, *, task_id=None, embed=None, headers=None, body=None, drop=(), exchange="",
                     **properties):
        """A task message of protocol 2 which the arguments may damage: `drop` takes headers or properties out."""
        task_id = task_id or str(uuid.uuid4())
        all_headers = {
            "lang": "py", "task": task, "id": task_id, "shadow": None, "eta": None, "expires": None, "group": None, "group_index": None,
            "retries": 0, "timelimit": [None, None], "root_id": task_id, "parent_id": None, "argsrepr": repr(tuple(args)),
            "kwargsrepr": repr(kwargs or {}), "origin": "scenario@localhost", "ignore_result": False, "replaced_task_nesting": 0,
            "stamped_headers": None, "stamps": {},
        } | (headers or {})
        all_properties = {
            "content_type": "application/json", "content_encoding": "utf-8", "delivery_mode": 2, "priority": 0, "correlation_id": task_id,
        } | properties
        for name in drop:
            all_headers.pop(name, None)
            all_properties.pop(name, None)
        if body is None:
            body = json.dumps([list(args), kwargs or {}, embed or EMBED])
        self.publish(queue, body, all_headers, exchange, **all_properties)
        return task_id

    def get(self, queue, timeout=TIMEOUT):
        """The next message of the queue, acknowledged."""
        message = eventually(lambda: self.channel.basic_get(queue, no_ack=True), timeout, f"a message in {queue}")
        return message

    def result(self, queue, task_id=None, timeout=TIMEOUT):
        """The next result in a reply queue, as a map; of `task_id` where that is given."""
        deadline = time.monotonic() + timeout
        while True:
            found = json.loads(self.get(queue, max(0.1, deadline - time.monotonic())).body)
            if task_id is None or found["task_id"] == task_id:
                return found

    def final_result(self, queue, task_id, timeout=TIMEOUT):
        while True:
            found = self.result(queue, task_id, timeout)
            if found["status"] in ("SUCCESS", "FAILURE", "REVOKED"):
                return found


def text_of(message):
    return message.body if isinstance(message.body, str) else message.body.decode()


def control_broker(*arguments, control=BROKER_CONTROL):
    """rabbitmqctl of a private broker."""
    return subprocess.run([*shlex.split(control), *arguments], check=True, capture_output=True, text=True, timeout=60).stdout


def address(url):
    """Host and port of a broker's URL."""
    parts = urllib.parse.urlsplit(url)
    return parts.hostname, parts.port


def with_port(url, port, options=""):
    """The URL of the same broker behind another port, with further options."""
    parts = urllib.parse.urlsplit(url)
    netloc = parts.netloc.rpartition(":")[0] + f":{port}"
    return urllib.parse.urlunsplit(parts._replace(netloc=netloc, query=options))


class Broker:
    def __init__(self, url, control):
        self.url = url
        self.control_command = control

    def control(self, *arguments):
        return control_broker(*arguments, control=self.control_command)

    def close_connections(self):
        self.control("close_all_connections", "scenario")

    def restart(self):
        self.control("stop_app")
        time.sleep(1)
        self.control("start_app")

    def is_open(self):
        """Whether somebody listens on its port."""
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(address(self.url)) == 0

    def consumes(self, queue):
        """Whether the queue has a consumer; asked over a new connection, since older ones may be gone."""
        try:
            wire = Wire(self.url)
        except OSError:
            return False
        try:
            return wire.consumers(queue) > 0
        finally:
            wire.close()

    def wait_for_consumer(self, queue):
        eventually(lambda: self.consumes(queue), PATIENCE, "the worker consumes again")

    def answers(self, queue):
        app = client_app(self.url)
        try:
            return app.send_task("demo.add", (2, 3), queue=queue).get(timeout=PATIENCE) == 5
        finally:
            app.close()


class States:
    """Collects every state that a result goes through: result.get(on_message=states)."""

    def __init__(self):
        self.messages = []

    def __call__(self, message):
        self.messages.append(message)

    @property
    def names(self):
        return [message["status"] for message in self.messages]

    def results(self, status):
        return [message["result"] for message in self.messages if message["status"] == status]
