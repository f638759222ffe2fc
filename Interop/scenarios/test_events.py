"""Events: what Celery's own receiver, its State and `celery events --dump` see of a Swift worker, and of Celery's."""
import contextlib
import json
import re
import signal
import subprocess
import sys
import threading

import pytest
from celery.events.state import State

import harness
from harness import HOSTNAME, PATIENCE, client_app, eventually, unique
from matrix import Run
from outcomes import CASES

COMMON = ["hostname", "utcoffset", "pid", "clock"]
WORKER = ["freq", "active", "processed", "loadavg", "sw_ident", "sw_ver", "sw_sys"]
FIELDS = {
    "worker-online": WORKER,
    "worker-heartbeat": WORKER,
    "worker-offline": WORKER,
    "task-sent": ["uuid", "root_id", "parent_id", "name", "args", "kwargs", "retries", "eta", "expires", "queue", "exchange", "routing_key"],
    "task-received": ["uuid", "name", "args", "kwargs", "root_id", "parent_id", "retries", "eta", "expires"],
    "task-started": ["uuid"],
    "task-succeeded": ["uuid", "result", "runtime"],
    "task-failed": ["uuid", "exception", "traceback"],
    "task-retried": ["uuid", "exception", "traceback"],
    "task-revoked": ["uuid", "terminated", "signum", "expired"],
    "task-rejected": ["uuid", "requeue"],
    "task-cancelled": ["uuid"],
}
BEGUN = ["task-received", "task-started"]


class Events:
    """Everything that comes to the exchange of events: as it is on the wire, and as Celery's State makes of it."""

    def __init__(self, url=harness.BROKER_URL):
        self.app = client_app(url)
        self.connection = self.app.connection_for_read()
        self.seen = []  # routing key, headers, event
        self.state = State()
        self.lock = threading.Lock()
        self.stopping = False
        receiver = self.app.events.Receiver(self.connection, handlers={"*": self._handle})
        receiver._receive = self._keep(receiver._receive)
        self.receiver = receiver
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        assert self.ready.wait(PATIENCE), "the receiver consumes"

    def _keep(self, receive):
        def keep(body, message):
            with self.lock:
                for event in body if isinstance(body, list) else [body]:
                    self.seen.append((message.delivery_info["routing_key"], dict(message.headers), dict(event), isinstance(body, list)))
            receive(body, message)
        return keep

    def _handle(self, event):
        with self.lock:
            self.state.event(event)

    def _run(self):
        with self.receiver.consumer_context() as (connection, _, _):  # the receiver has a connection of its own
            self.ready.set()
            while not self.stopping:
                with contextlib.suppress(TimeoutError):
                    connection.drain_events(timeout=0.2)

    def close(self):
        self.stopping = True
        self.thread.join(PATIENCE)
        self.connection.close()
        self.app.close()

    def all(self, **fields):
        """The events that have these fields."""
        with self.lock:
            return [event for _, _, event, _ in self.seen if all(event.get(name) == value for name, value in fields.items())]

    def types(self, task_id):
        return [event["type"] for event in self.all(uuid=task_id)]

    def wait(self, **fields):
        return eventually(lambda: self.all(**fields), PATIENCE, f"an event {fields}")[0]


@pytest.fixture
def events():
    events = Events()
    yield events
    events.close()


def shape(event, without=None):
    """Type, and names and types of the fields in their order."""
    kinds = ((name, "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__)
             for name, value in event.items() if name != without)
    return (event["type"], *kinds)


def assert_well_formed(event):
    names = list(event)
    assert names[:4] == COMMON and names[-2:] == ["timestamp", "type"], names
    assert isinstance(event["utcoffset"], float) and isinstance(event["timestamp"], float)
    assert isinstance(event["pid"], int) and isinstance(event["clock"], int)
    expected = FIELDS[event["type"]]
    if event["type"] == "task-failed" and "traceback" not in event:  # of a task that is not registered
        expected = ["uuid", "exception"]
    assert names[4:-2] == expected, event


def start_events(start_swift, **options):
    return start_swift(arguments=["-E", "--heartbeat-interval", "1", *options.pop("arguments", [])], **options)


# ---- every outcome, beside Celery's own worker ----


@pytest.fixture(scope="module")
def observed(tmp_path_factory):
    """observed(kind): the events of every case in every mode on that worker."""
    runs = {}

    def observe(kind):
        if kind not in runs:
            if not harness.OUTCOME_WORKER and not kind.startswith("python"):
                pytest.skip("SWCELERY_OUTCOME_WORKER names no executable")
            events = Events()
            try:
                run = Run(kind, tmp_path_factory.mktemp(kind), {"OUTCOME_EVENTS": "1"})
                cells = run.observe()
                events.wait(type="worker-offline", hostname=f"{run.worker.node}@{HOSTNAME}")
                runs[kind] = {key: events.all(uuid=cell.task_id) for key, cell in cells.items()}
            finally:
                events.close()
        return runs[kind]

    return observe


def once(types):
    """Celery tells the end of a task twice that its time limit has ended."""
    return [name for number, name in enumerate(types) if name != "task-failed" or name not in types[:number]]


@pytest.mark.beyond_celery
@pytest.mark.parametrize("kind", ["swift-processes", "swift-tasks"])
def test_every_outcome_is_told_as_celery_tells_it(observed, kind):
    python, swift = observed("python-prefork"), observed(kind)
    differences = []
    for key in sorted(set(python) & set(swift)):
        if CASES[key[0]].difference(kind) or CASES[key[0]].difference("python-prefork"):
            continue  # the outcome itself is another one there; the matrix of outcomes says why
        ours, theirs = swift[key], python[key]
        for event in ours:
            assert_well_formed(event)
        types, expected = [sorted(once([event["type"] for event in found])) for found in (ours, theirs)]
        if types != expected:
            differences.append(f"{key}: {types}, Celery {expected}")
        # Celery repeats the task of a lost process outside of every task: its message names no parent, ours does.
        without = "parent_id" if key[0].startswith("lost_retried") else None
        shapes, expected = [{shape(event, without) for event in found} for found in (ours, theirs)]
        if shapes != expected:
            differences.append(f"{key}: {shapes - expected}, Celery {expected - shapes}")
    assert not differences, "\n".join(differences)
    assert len(set(python) & set(swift)) > 30


# ---- a worker of the demonstration tasks ----


def test_a_worker_comes_lives_and_goes(events, start_swift):
    worker = start_events(start_swift, name="lively")
    node = f"lively@{HOSTNAME}"
    online = events.wait(hostname=node, type="worker-online")
    beat = events.wait(hostname=node, type="worker-heartbeat")
    for event in (online, beat):
        assert_well_formed(event)
        assert (event["sw_sys"], event["freq"], event["active"], event["processed"]) == ("Linux", 1.0, 0, 0)
        assert len(event["loadavg"]) == 3
        assert event["sw_ident"] == ("py-celery" if harness.STAND_IN else "swcelery")
    eventually(lambda: node in events.state.workers and events.state.workers[node].alive, PATIENCE, "State sees it alive")
    assert worker.stop() == 0
    offline = events.wait(hostname=node, type="worker-offline")
    assert offline["clock"] > beat["clock"] > online["clock"]
    eventually(lambda: not events.state.workers[node].alive, PATIENCE, "State sees it gone")


def test_state_shows_the_tasks_as_they_end(events, start_swift, wire):
    worker = start_events(start_swift)
    calls = {
        "SUCCESS": ("demo.add", (2, 3), {}),
        "FAILURE": ("demo.fail", ("no luck",), {}),
        "RETRY": ("demo.retry", (1, 600.0), {}),
        "REVOKED": ("demo.add", (1, 1), {"expires": "2020-01-01T00:00:00+00:00"}),
    }
    ids = {}
    for state, (task, args, headers) in calls.items():
        ids[state] = wire.publish_task(worker.queue, task, args, headers=headers)
    for state, task_id in ids.items():
        eventually(lambda: task_id in events.state.tasks and events.state.tasks[task_id].state == state, PATIENCE, f"State sees {state}")
    tasks = events.state.tasks
    done = tasks[ids["SUCCESS"]]
    assert (done.name, done.args, done.kwargs, done.result) == ("demo.add", "(2, 3)", "{}", "5")
    assert done.runtime >= 0 and done.worker.hostname == f"swift1@{HOSTNAME}"
    failed = tasks[ids["FAILURE"]]
    assert failed.exception == "ValueError('no luck')"
    assert failed.traceback.startswith("Traceback (most recent call last):") and "ValueError: no luck" in failed.traceback
    assert tasks[ids["RETRY"]].exception == "RuntimeError('attempt 1')"
    assert events.types(ids["SUCCESS"]) == [*BEGUN, "task-succeeded"]
    assert events.types(ids["REVOKED"]) == ["task-revoked"]
    for event in events.all(hostname=f"swift1@{HOSTNAME}"):
        assert_well_formed(event)


def test_batches_and_single_events(events, start_swift, wire):
    """Events of tasks come in lists by task.multi, those of workers alone."""
    worker = start_events(start_swift, name="batching")
    ids = [wire.publish_task(worker.queue, "demo.add", (1, number)) for number in range(200)]
    for task_id in ids:
        events.wait(uuid=task_id, type="task-succeeded")
    node = f"batching@{HOSTNAME}"
    mine = [entry for entry in events.seen if entry[1] == {"hostname": node}]
    assert {(key, is_list) for key, _, event, is_list in mine if event["type"].startswith("task-")} == {("task.multi", True)}
    assert all(key == event["type"].replace("-", ".") and not is_list for key, _, event, is_list in mine if event["type"].startswith("worker-"))
    clocks = [event["clock"] for _, _, event, _ in mine]
    assert len(clocks) == len(set(clocks)) >= 601


def test_a_cold_shutdown_tells_what_it_cancels(events, start_swift, wire):
    worker = start_events(start_swift)
    task_id = wire.publish_task(worker.queue, "demo.sleep", (60.0,))
    events.wait(uuid=task_id, type="task-started")
    worker.send_signal(signal.SIGQUIT)
    worker.wait(PATIENCE)
    assert_well_formed(events.wait(uuid=task_id, type="task-cancelled"))
    assert events.types(task_id) == [*BEGUN, "task-cancelled"]


def test_without_e_there_are_only_events_of_the_worker(events, start_swift, wire):
    worker = start_swift(name="quiet", arguments=["--heartbeat-interval", "1"])
    replies = wire.declare()
    task_id = wire.publish_task(worker.queue, "demo.add", (1, 2), reply_to=replies)
    wire.final_result(replies, task_id)
    events.wait(hostname=f"quiet@{HOSTNAME}", type="worker-heartbeat", processed=1)
    assert events.types(task_id) == []


def test_events_are_switched_on_and_off_by_remote_control(events, start_swift, wire):
    worker = start_swift(name="switched")
    node = f"switched@{HOSTNAME}"

    def control(command):
        return events_app.control.broadcast(command, reply=True, destination=[node], timeout=PATIENCE, limit=1)

    with contextlib.closing(client_app()) as events_app:
        assert control("enable_events") == [{node: {"ok": "task events enabled"}}]
        assert control("enable_events") == [{node: {"ok": "task events already enabled"}}]
        task_id = wire.publish_task(worker.queue, "demo.add", (1, 2))
        events.wait(uuid=task_id, type="task-succeeded")
        assert control("disable_events") == [{node: {"ok": "task events disabled"}}]
        assert control("disable_events") == [{node: {"ok": "task events already disabled"}}]
        replies = wire.declare()
        silent = wire.publish_task(worker.queue, "demo.add", (1, 2), reply_to=replies)
        wire.final_result(replies, silent)
        assert control("heartbeat") == [{node: None}]
        beat = events.wait(hostname=node, type="worker-heartbeat", freq=5)
        assert list(beat)[4:-2] == ["freq", "sw_ident", "sw_ver", "sw_sys"]
        assert events.types(silent) == []


def test_the_dump_of_celery_shows_a_swift_worker(start_swift, wire):
    dump = subprocess.Popen(
        [sys.executable, "-u", "-m", "celery", "-b", wire.url, "events", "--dump"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    lines = []
    threading.Thread(target=lambda: [lines.append(line) for line in dump.stdout], daemon=True).start()

    def text():
        return "".join(lines)

    try:
        worker = start_events(start_swift, name="dumped")
        eventually(lambda: f"dumped@{HOSTNAME}" in text(), PATIENCE, "the dump shows the worker")
        task_id = wire.publish_task(worker.queue, "demo.add", (2, 3))
        eventually(lambda: re.search(rf"task succeeded: demo\.add\({task_id}\)", text()), PATIENCE, "the dump shows the task")
        assert re.search(rf"task received: demo\.add\({task_id}\) args=\(2, 3\)", text())
    finally:
        dump.terminate()
        dump.wait(PATIENCE)


def test_a_client_tells_what_it_has_sent(events, wire, tmp_path):
    """`task_send_sent_event`, from the settings of a file."""
    queue = wire.declare()
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps({"task_send_sent_event": True}))
    if harness.STAND_IN:
        with contextlib.closing(client_app(task_send_sent_event=True)) as app:
            task_id = app.send_task("demo.add", (2, 3), queue=queue).id
    else:
        command = [harness.SWCELERY, "call", "--config", str(settings), "-b", wire.url, "demo.add", "-a", "[2, 3]", "--queue", queue]
        output = subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE).stdout
        task_id = re.search(r"[0-9a-f-]{36}", output).group()
    event = events.wait(uuid=task_id, type="task-sent")
    assert_well_formed(event)
    assert re.fullmatch(rf"gen\d+@{re.escape(HOSTNAME)}", event["hostname"])
    assert (event["name"], event["args"], event["kwargs"], event["queue"], event["routing_key"]) == ("demo.add", "(2, 3)", "{}", queue, queue)
    assert [event[name] for name in ("root_id", "parent_id", "retries", "eta", "expires", "exchange")] == [task_id, None, 0, None, None, ""]


@pytest.mark.private_broker
def test_events_go_on_after_a_lost_connection(broker, tmp_path):
    """Those of the worker, and those of a task that comes afterwards."""
    name, queue = unique("patient"), unique("queue")
    node = f"{name}@{HOSTNAME}"
    command = harness.swift_command([queue], name=name, arguments=["-E", "--heartbeat-interval", "1"], broker=broker.url)
    worker = harness.Worker(command, [queue], tmp_path / "worker.log", broker.url)
    try:
        broker.wait_for_consumer(queue)
        with contextlib.closing(Events(broker.url)) as before:
            before.wait(hostname=node, type="worker-heartbeat")
        broker.close_connections()
        broker.wait_for_consumer(queue)
        with contextlib.closing(Events(broker.url)) as after, contextlib.closing(harness.Wire(broker.url)) as wire:
            after.wait(hostname=node, type="worker-heartbeat")
            task_id = wire.publish_task(queue, "demo.add", (2, 3))
            after.wait(uuid=task_id, type="task-succeeded")
            assert after.types(task_id) == [*BEGUN, "task-succeeded"]
    finally:
        worker.end()
