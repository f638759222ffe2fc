"""Workers of both languages know of each other: what is revoked, what time it is, who lives, and who is elected."""
import re
import signal
import time
import uuid

import pytest

import harness
from harness import PATIENCE, Wire, Worker, client_app, eventually, python_command, swift_command, unique

HOST = harness.HOSTNAME
COMMANDS = {"swift": swift_command, "python": python_command}
BOTH_ORDERS = pytest.mark.parametrize("first, second", [("python", "swift"), ("swift", "python"), ("swift", "swift")])


class Fleet:
    """Workers alone on a broker, so that only they answer each other."""

    def __init__(self, url, folder):
        self.url = url
        self.folder = folder
        self.wire = Wire(url)
        self.app = client_app(url)
        self.workers = []

    def start(self, kind, name=None, *arguments):
        name = name or unique(kind)
        queue = unique(name)
        command = COMMANDS[kind]([queue], name=name, broker=self.url, arguments=["-l", "debug", *arguments])
        worker = Worker(command, [queue], self.folder / f"{name}-{len(self.workers)}.log", self.url)
        worker.node = f"{name}@{HOST}"
        worker.kind = kind
        self.workers.append(worker)
        worker.wait_until_ready(self.wire, timeout=PATIENCE)
        worker.wait_for_log(r"@\S+ ready\.", PATIENCE)  # it consumes a moment before it says so
        return worker

    def end(self):
        for worker in self.workers:
            if worker.kind == "python":
                worker.process.kill()  # it takes ten seconds to leave by itself
            worker.end()
            self.wire.delete(*worker.queues)
        self.app.close()
        self.wire.close()

    def inspect(self, worker, command):
        """What one worker answers."""
        def answer():
            replies = getattr(self.app.control.inspect([worker.node], timeout=2), command)()
            return replies and replies.get(worker.node)
        return eventually(answer, PATIENCE, f"{worker.node} answers {command}")

    def revoke(self, worker):
        """An id that only this worker knows to be revoked."""
        task = str(uuid.uuid4())
        self.app.control.revoke(task, destination=[worker.node])
        self.wait_for_revoke(worker, task)
        return task

    def wait_for_revoke(self, worker, task):
        replies = lambda: self.app.control.inspect([worker.node], timeout=1).revoked() or {}
        eventually(lambda: task in replies().get(worker.node, []), PATIENCE, f"{worker.node} knows what is revoked")

    def assert_discarded(self, worker, task):
        self.wire.publish_task(worker.queue, "demo.add", (1, 2), task_id=task)
        worker.wait_for_log(rf"Discarding revoked task: demo\.add\[{task}\]", PATIENCE)

    def wait_until_acquainted(self, *workers):
        for worker in workers:
            for other in workers:
                if other is not worker:
                    worker.wait_for_log(f"{other.node} joined the party", PATIENCE)


@pytest.fixture
def fleet(broker, tmp_path):
    fleet = Fleet(broker.url, tmp_path)
    yield fleet
    fleet.end()


@pytest.fixture
def alone(fleet):
    return fleet.start("swift")


def test_alone(alone):
    assert re.search("mingle: searching for neighbors.*mingle: all alone.* ready", alone.log_text, re.DOTALL)


@BOTH_ORDERS
def test_a_new_worker_learns_what_is_revoked(fleet, first, second):
    first = fleet.start(first)
    task = fleet.revoke(first)
    second = fleet.start(second)
    assert re.search("mingle: searching for neighbors.*mingle: sync with 1 nodes.*mingle: sync complete.* ready", second.log_text, re.DOTALL)
    first.wait_for_log(f"sync with {re.escape(second.node)}")
    assert fleet.inspect(second, "revoked") == [task]
    fleet.assert_discarded(second, task)


@BOTH_ORDERS
def test_a_new_worker_tells_what_is_revoked(fleet, tmp_path, first, second):
    statedb = ("--statedb", str(tmp_path / "state.db"))
    before = fleet.start(second, "returns", *statedb)
    task = fleet.revoke(before)
    assert before.stop(timeout=PATIENCE) == 0
    first = fleet.start(first)
    fleet.start(second, "returns", *statedb)
    fleet.wait_for_revoke(first, task)
    fleet.assert_discarded(first, task)


@BOTH_ORDERS
def test_a_new_worker_learns_the_time(fleet, first, second):
    first = fleet.start(first, None, "--without-gossip", "--without-heartbeat")
    for _ in range(50):
        fleet.app.control.broadcast("ping", destination=["nobody"])
    clock = eventually(lambda: (value := fleet.inspect(first, "clock")["clock"]) >= 50 and value, PATIENCE, "the clock goes on")
    second = fleet.start(second, None, "--without-gossip", "--without-heartbeat")
    assert fleet.inspect(second, "clock")["clock"] > clock


@BOTH_ORDERS
def test_clocks_follow_each_other(fleet, first, second):
    first = fleet.start(first, None, "--without-mingle")
    for _ in range(50):
        fleet.app.control.broadcast("ping", destination=["nobody"])
    clock = eventually(lambda: (value := fleet.inspect(first, "clock")["clock"]) >= 50 and value, PATIENCE, "the clock goes on")
    second = fleet.start(second, None, "--without-mingle")
    assert "mingle" not in second.log_text.replace("without-mingle", "")
    eventually(lambda: fleet.inspect(second, "clock")["clock"] > clock, PATIENCE, "the clock follows the heartbeats")


@BOTH_ORDERS
def test_a_lost_worker_is_noticed(fleet, first, second):
    first, second = fleet.start(first), fleet.start(second)
    fleet.wait_until_acquainted(first, second)
    second.stop(signal.SIGKILL)
    first.wait_for_log(f"missed heartbeat from {second.node}", PATIENCE)


@BOTH_ORDERS
def test_a_worker_that_leaves(fleet, first, second):
    first, second = fleet.start(first), fleet.start(second)
    fleet.wait_until_acquainted(first, second)
    assert second.stop(timeout=PATIENCE) == 0
    first.wait_for_log(f"{second.node} left", PATIENCE)


@pytest.mark.beyond_celery
@pytest.mark.parametrize("size", [2, 3])
def test_an_election(fleet, size):
    """Everybody comes to the same answer, and the task is sent once. Celery's own workers decide before they have all requests: they may differ,
    and one that has only its own by then ends with an IndexError."""
    workers = [fleet.start("swift") for _ in range(size)]
    fleet.wait_until_acquainted(*workers)
    target = fleet.wire.declare()
    for round in range(1, 6):
        election = f"election-{round}"
        fleet.app.control.election(election, "task", fleet.app.signature("demo.add", (round, 1), queue=target))
        leaders = [outcome(worker, election) for worker in workers]
        assert len(set(leaders)) == 1, leaders
        assert sum(f"I won the election '{election}'" in worker.log_text for worker in workers) == 1
        eventually(lambda: fleet.wire.ready(target) == round, PATIENCE, "the task was sent")
    time.sleep(1)
    assert fleet.wire.ready(target) == 5


def outcome(worker, election):
    """Who has won, as this worker sees it."""
    pattern = f"I won the election '{election}'|node (.*) elected for '{election}'"
    found = worker.wait_for_log(pattern, PATIENCE)
    return found[1] or f"{worker.node}.{worker.process.pid}"


@pytest.mark.beyond_celery
def test_the_only_worker_wins(fleet, alone):
    """Celery's own worker trips over its list of one."""
    target = fleet.wire.declare()
    fleet.app.control.election("only", "task", fleet.app.signature("demo.add", (1, 1), queue=target))
    alone.wait_for_log("I won the election 'only'", PATIENCE)
    eventually(lambda: fleet.wire.ready(target) == 1, PATIENCE, "the task was sent")


def test_a_worker_without_gossip_takes_no_part(fleet):
    first, second = fleet.start("swift"), fleet.start("swift", None, "--without-gossip")
    first.wait_for_log(f"{second.node} joined the party", PATIENCE)
    assert "joined the party" not in second.log_text
    target = fleet.wire.declare()
    fleet.app.control.election("half", "task", fleet.app.signature("demo.add", (1, 1), queue=target))
    first.wait_for_log("I won the election 'half'", PATIENCE)
    eventually(lambda: fleet.wire.ready(target) == 1, PATIENCE, "the task was sent")
    assert not re.search("the election|elected for", second.log_text)
