"""Remote control by real Celery: every command to a Swift worker and to a Python worker that do the same."""
import json
import re
import subprocess
import sys
import time

import pytest

import control_table
import harness
from control_cases import CASES, EQUAL, KEYS, LAYOUT
from harness import HOSTNAME, Worker, eventually, unique

NODES = {"swift": f"control-swift@{HOSTNAME}", "python": f"control-python@{HOSTNAME}"}


def commands(kind, queue):
    """The command line of a worker with two processes."""
    common = ["-Q", queue, "-c", "2", "-n", f"control-{kind}@%h", "-l", "info", "-b", harness.BROKER_URL]
    if kind == "swift" and not harness.STAND_IN:
        return [harness.SWCELERY, "worker", "-P", "processes", *common]
    broker = ["-b", harness.BROKER_URL]
    return [sys.executable, "-m", "celery", "-A", "proj", *broker, "worker", "-P", "prefork", *[word for word in common if word not in broker]]


@pytest.fixture(scope="module")
def fleet(session_wire, tmp_path_factory):
    """Both workers, each with two tasks that run, one that waits and one for later."""
    folder = tmp_path_factory.mktemp("control")
    workers = {}
    try:
        for kind in NODES:
            queue = unique(f"control-{kind}")
            workers[kind] = Worker(commands(kind, queue), [queue], folder / f"{kind}.log").wait_until_ready(session_wire, timeout=90)
        for worker in workers.values():
            for number in (1, 2):
                session_wire.publish_task(worker.queue, "demo.sleep", (900.0,), task_id=f"running-{number}")
        app = harness.client_app()
        for kind, node in NODES.items():
            eventually(lambda: len((app.control.inspect([node]).active() or {}).get(node, [])) == 2, 90, f"two running tasks of {kind}")
        for worker in workers.values():
            session_wire.publish_task(worker.queue, "demo.add", (1, 2), task_id="reserved-1")
            eta = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() + 800))
            session_wire.publish_task(worker.queue, "demo.add", (1,), {"y": 2}, task_id="scheduled-1", headers={"eta": eta})
        for kind, node in NODES.items():
            eventually(lambda: (app.control.inspect([node]).scheduled() or {}).get(node), 90, f"a task for later of {kind}")
        yield workers
        app.close()
    finally:
        for worker in workers.values():
            worker.process.kill()
            worker.end()
            session_wire.delete(*worker.queues)
        session_wire.delete("control-extra", "control-extra-2")


def ask(app, kind, command, arguments):
    node = NODES[kind]
    replies = app.control.broadcast(command, arguments=dict(arguments), destination=[node], reply=True, timeout=30) or []
    assert len(replies) == 1 and list(replies[0]) == [node], f"{kind}: {command}: {replies}"
    return replies[0][node]


# --- comparing

def plain(value, kind):
    """The value without what is a worker's own."""
    text = json.dumps(value)
    return json.loads(re.sub(rf"control-{kind}(?=[@\"-])(-[0-9a-f]{{8}})?", "WORKER", text))


# What may be there or null, and keys of maps that are data.
NULLABLE = {"priority", "worker_pid", "time_start", "max-tasks-per-child"}
DATA = {"total", "kwargs"}
VARYING = {"pid", "worker_pid", "time_start", "clock"}


def differences(swift, python, path="reply"):
    """Where two values differ in keys, their order, or types."""
    name = path.rpartition(".")[2]
    if isinstance(swift, dict) and isinstance(python, dict):
        if name in DATA:
            return []
        if list(swift) != list(python):
            return [f"{path}: {list(swift)} are not {list(python)}"]
        return [found for key in swift for found in differences(swift[key], python[key], f"{path}.{key}")]
    if isinstance(swift, list) and isinstance(python, list):
        if bool(swift) != bool(python):
            return [f"{path}: {swift} is not {python}"]
        return [found for index, (left, right) in enumerate(zip(swift, python)) for found in differences(left, right, f"{path}[{index}]")]
    if type(swift) is not type(python) and not (name in NULLABLE and None in (swift, python)):
        return [f"{path}: {swift!r} is of another type than {python!r}"]
    return []


def fixed(value):
    """The value without what changes from run to run."""
    if isinstance(value, dict):
        return {key: fixed(entry) for key, entry in value.items() if key not in VARYING}
    return [fixed(entry) for entry in value] if isinstance(value, list) else value


def compare(case, swift, python):
    swift, python = plain(swift, "swift"), plain(python, "python")
    if case.match == EQUAL:
        left, right = fixed(swift), fixed(python)
        if isinstance(left, list) and all(isinstance(entry, str) for entry in left):
            left, right = sorted(left), sorted(right)
        return [] if left == right and differences(swift, python) == [] else [f"{left} is not {right}"]
    if case.match == LAYOUT:
        return differences(swift, python)
    if isinstance(swift, dict) and isinstance(python, dict) and case.command == "conf":
        return [found for key in swift.keys() & python.keys() for found in differences(swift[key], python[key], key)]
    if isinstance(swift, dict) and isinstance(python, dict):
        return [] if list(swift) == list(python) else [f"{list(swift)} are not {list(python)}"]
    return [] if type(swift) is type(python) or None in (swift, python) else [f"{swift!r} is of another type than {python!r}"]


# --- tests

def test_every_command(fleet, app):
    """One test, as later commands see what earlier ones have done."""
    failures = []
    for case in CASES:
        swift, python = (ask(app, kind, case.command, case.arguments) for kind in NODES)
        if case.command in ("add_consumer", "cancel_consumer"):
            time.sleep(1)  # Celery consumes a moment later
        if case.command == "pool_grow":
            pools_have_grown(app)
        failures += [f"{case.title}: {found}" for found in compare(case, swift, python)]
    assert not failures, "\n".join(failures)


def pools_have_grown(app):
    """Celery's new process comes seconds later, and has to be idle before it may go."""
    for kind in NODES:
        eventually(lambda: len(ask(app, kind, "stats", {})["pool"]["processes"]) == 3, 90, f"three processes of {kind}")
        eventually(lambda: not ask(app, kind, "reserved", {}), 90, f"the waiting task of {kind} has run")


def celery(*arguments):
    command = [sys.executable, "-m", "celery", "-b", harness.BROKER_URL, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("case", [case for case in CASES if case.cli], ids=lambda case: f"{case.kind}-{case.command}")
def test_the_command_line(fleet, app, case):
    """`celery inspect` and `celery control` print both workers' replies alike."""
    done = celery(case.kind, "-j", "-t", "30", "-d", ",".join(NODES.values()), *case.cli)
    assert done.returncode == 0, done.stdout + done.stderr
    replies = json.loads(done.stdout[done.stdout.index("{"):] if done.stdout.lstrip().startswith("{") else done.stdout[done.stdout.index("["):])
    if isinstance(replies, list):
        replies = {node: value for reply in replies for node, value in reply.items()}
    assert set(replies) == set(NODES.values()), done.stdout
    if case.command == "pool_grow":
        pools_have_grown(app)
    if case.command in ("query_task", "pool_grow", "autoscale") or case.match != KEYS:
        assert differences(*(plain(replies[NODES[kind]], kind) for kind in NODES)) == []


def test_status(fleet):
    done = celery("status", "-t", "30", "-d", ",".join(NODES.values()))
    assert done.returncode == 0
    for node in NODES.values():
        assert re.search(rf"{re.escape(node)}: .*OK", done.stdout), done.stdout


def test_report_needs_no_worker():
    done = celery("report")
    assert done.returncode == 0 and "software ->" in done.stdout


def test_patterns(fleet, app):
    for pattern, matcher in ((f"control-*@{HOSTNAME}", "glob"), (r"^control-\w+@", "pcre")):
        replies = app.control.broadcast("ping", reply=True, pattern=pattern, matcher=matcher, timeout=30, limit=2)
        assert sorted(node for reply in replies for node in reply) == sorted(NODES.values())


def test_tasks_are_ended(fleet, app, wire):
    """`terminate` of a running task: both workers name it, and it runs no more."""
    for kind in NODES:
        assert ask(app, kind, "terminate", {"task_id": "running-1", "signal": "KILL"}) == {"ok": "terminate: running-1"}
    for kind in NODES:
        eventually(lambda: "running-1" not in [task["id"] for task in ask(app, kind, "active", {})], 90, f"{kind} has ended the task")


def test_a_shutdown_is_not_answered(start_swift, app):
    worker = start_swift(name=unique("leaving"))
    node = worker.command[worker.command.index("-n") + 1].replace("%h", HOSTNAME)
    eventually(lambda: app.control.ping([node], timeout=5), 60)
    assert app.control.broadcast("shutdown", destination=[node], reply=True, timeout=3) == []
    assert worker.wait(60) == 0


@pytest.mark.beyond_celery
def test_refused_commands(wire, tmp_path, app):
    queue, name = unique("refusing"), unique("refusing")
    environment = {"CELERY_WORKER_REFUSED_CONTROL_COMMANDS": "shutdown,terminate"}
    worker = Worker(harness.swift_command([queue], name=name), [queue], tmp_path / "refusing.log", environment=environment)
    try:
        worker.wait_until_ready(wire)
        node = f"{name}@{HOSTNAME}"
        eventually(lambda: app.control.ping([node], timeout=5), 60)
        [reply] = app.control.broadcast("shutdown", destination=[node], reply=True, timeout=30)
        assert "refused" in reply[node]["error"]
        [reply] = app.control.revoke("x", terminate=True, destination=[node], reply=True, timeout=30)
        assert "refused" in reply[node]["error"]
        assert worker.stop() == 0
    finally:
        worker.end()
        wire.delete(queue)


def test_a_second_worker_of_the_name_ends(start_swift, wire):
    first = start_swift(name=unique("twin"))
    name = first.command[first.command.index("-n") + 1].partition("@")[0]
    second = start_swift(name=name, ready=False)
    assert second.wait(60) == 1
    assert first.process.poll() is None


@pytest.mark.private_broker
def test_control_outlives_the_connection(start_swift, broker, app):
    worker = start_swift(name=unique("lasting"), broker=broker.url, ready=False)
    broker.wait_for_consumer(worker.queue)
    node = worker.command[worker.command.index("-n") + 1].replace("%h", HOSTNAME)
    # By a process of its own: a connection in this one's pool would not outlive the loss.
    ping = ("-b", broker.url, "inspect", "ping", "-t", "30", "-d", node)
    eventually(lambda: celery(*ping).returncode == 0, 90)
    broker.close_connections()
    broker.wait_for_consumer(worker.queue)
    eventually(lambda: celery(*ping).returncode == 0, 90)
    assert worker.stop() == 0


def test_the_table_is_up_to_date():
    """CONTROL.md is what control_table.py makes of the cases."""
    assert control_table.PATH.read_text() == control_table.text()
