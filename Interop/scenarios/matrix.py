"""Runs every case of outcomes.py once on one worker, all at the same time, and says what was observed of each.

    python matrix.py swift-tasks      what this worker does otherwise than the table says; with -e the cases that end the worker
"""
import contextlib
import dataclasses
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import harness
from harness import Wire, Worker, client_app, eventually, unique
from outcomes import ANY, CASES, ENDINGS, MODES, TRAITS, Expected, Result

KINDS = tuple(TRAITS)
CONCURRENCY = 4


@dataclasses.dataclass
class Cell:
    """One case in one mode on one worker: its queues and its message."""

    name: str
    mode: str
    expected: Expected
    queue: str
    replies: str
    follow: str
    task_id: str
    observed: Expected | None = None

    @property
    def key(self):
        return self.name, self.mode

    @property
    def dead(self):
        return f"{self.queue}.dead"


def cells_of(kind):
    """Name, mode and expectation of every case for this worker."""
    for name, case in CASES.items():
        for mode in MODES:
            if expected := case.expectation(kind, mode):
                yield name, mode, expected


def outcome_command(kind, name, concurrency=CONCURRENCY, embedded=False, arguments=()):
    """A worker of this kind. An embedded one is a Swift program with a worker in it; the others are command lines."""
    language, _, pool = kind.partition("-")
    options = ["worker", "-P", pool, "-c", str(concurrency), "-n", f"{name}@%h", "-l", "info", *arguments]
    if language == "python":
        return [sys.executable, "-m", "celery", "-A", "proj.outcomes", *options, "--without-gossip", "--without-mingle"]
    if embedded:
        return [harness.OUTCOME_WORKER, "embedded", pool, str(concurrency), f"{name}@%h", *arguments]
    return [harness.OUTCOME_WORKER, *options]


class OutcomeWorker(Worker):
    """A worker with the tasks of proj/outcomes.py, which notes in a journal what begins."""

    def __init__(self, kind, queues, folder, settings=None, dead_letters=False, **options):
        self.kind = kind
        self.node = unique(kind)
        self.journal_path = pathlib.Path(folder) / f"{self.node}.journal"
        environment = {"OUTCOME_JOURNAL": str(self.journal_path)} | (settings or {})
        if dead_letters:
            environment["OUTCOME_QUEUES"] = ",".join(queues)
        command = outcome_command(kind, self.node, **options)
        super().__init__(command, queues, pathlib.Path(folder) / f"{self.node}.log", environment=environment, stdin=subprocess.PIPE)

    def begun(self):
        """The ids of the tasks in the order in which they began, each as often as it did."""
        if not self.journal_path.exists():
            return []
        return [words[2] for words in map(str.split, self.journal_path.read_text().splitlines()) if words[1] == "begin"]

    def revoke(self, task_id, terminate=False):
        if self.kind.startswith("python"):
            with contextlib.closing(client_app()) as app:
                node = f"{self.node}@{harness.HOSTNAME}"
                app.control.revoke(task_id, terminate=terminate, destination=[node], reply=True, timeout=5)
        else:
            self.process.stdin.write(f"revoke {task_id} {'terminate' if terminate else ''}\n".encode())
            self.process.stdin.flush()
            self.wait_for_log(f"revoked {task_id}")


class Ending:
    """One case in which the worker ends with its task. `modes` run at the same time."""

    def __init__(self, kind, name, folder, modes):
        self.case = ENDINGS[name]
        self.name = name
        self.wire = Wire()
        prefix = unique(kind)
        self.cells = {}
        for mode in modes:
            queue = f"{prefix}.{mode}.{name}"
            cell = Cell(name, mode, self.case.expectation(kind, mode), queue, f"{queue}.replies", f"{queue}.follow", f"{prefix}-{mode}")
            self.cells[cell.key] = cell
        queues = [cell.queue for cell in self.cells.values()]
        self.worker = OutcomeWorker(kind, queues, folder, embedded=False, arguments=["-Q", ",".join(queues)])

    def observe(self):
        cells = list(self.cells.values())
        try:
            for cell in cells:
                for queue in (cell.replies, cell.follow, cell.dead):
                    self.wire.declare(queue)
            self.worker.wait_until_ready(self.wire, timeout=harness.PATIENCE)
            for cell in cells:
                publish(self.wire, cell, self.case)
            eventually(lambda: len(set(self.worker.begun())) == len(cells), harness.PATIENCE, "the tasks run")
            time.sleep(0.3)
            if number := {"cold": signal.SIGQUIT, "killed": signal.SIGKILL}.get(self.name):
                self.worker.send_signal(number)
            self.worker.wait(harness.PATIENCE)
            for cell in cells:
                if cell.expected.left:
                    eventually(lambda: self.wire.ready(cell.queue), harness.PATIENCE, f"the message of {cell.key} is back")
                cell.observed = observation(self.wire, cell, self.worker.begun())
            return self.cells
        finally:
            self.worker.end()
            self.wire.delete(*(cell.queue for cell in cells))
            self.wire.close()


class Run:
    """All cases on one worker."""

    def __init__(self, kind, folder):
        self.kind = kind
        self.wire = Wire()
        prefix = unique(kind)
        self.cells = {}
        for number, (name, mode, expected) in enumerate(cells_of(kind)):
            queue = f"{prefix}.{mode}.{name}"
            cell = Cell(name, mode, expected, queue, f"{queue}.replies", f"{queue}.follow", f"{prefix}-{number}")
            self.cells[cell.key] = cell
        self.worker = OutcomeWorker(kind, [cell.queue for cell in self.cells.values()], folder, dead_letters=True, embedded=True)

    def observe(self):
        """What was observed, by name and mode."""
        try:
            for cell in self.cells.values():
                for queue in (cell.replies, cell.follow, cell.dead):
                    self.wire.declare(queue)
            self.worker.wait_until_ready(self.wire, timeout=harness.PATIENCE)
            self._send()
            self._wait()
            status = self.worker.stop(timeout=harness.PATIENCE)
            assert status == 0, f"the worker ended with status {status}"
            begun = self.worker.begun()
            for cell in self.cells.values():
                cell.observed = observation(self.wire, cell, begun)
            return self.cells
        finally:
            self.worker.end()
            self.wire.delete(*(cell.queue for cell in self.cells.values()))
            self.wire.close()

    def _send(self):
        for cell in self.cells.values():
            if CASES[cell.name].before == "revoke":
                self.worker.revoke(cell.task_id)
        for cell in self.cells.values():
            publish(self.wire, cell, CASES[cell.name])
        running = {cell.task_id for cell in self.cells.values() if CASES[cell.name].before == "terminate"}

        def next_one():
            return next((task_id for task_id in self.worker.begun() if task_id in running), None)

        while running:
            task_id = eventually(next_one, harness.PATIENCE, "what is to be terminated begins")
            self.worker.revoke(task_id, terminate=True)
            running.remove(task_id)

    def _wait(self):
        """Every case has what is expected of it; and a while longer, for what is not expected."""
        def is_complete(cell):
            expected = cell.expected
            counts = [(cell.replies, len(expected.results) + len(expected.steps)), (cell.follow, len(expected.sent)), (cell.dead, expected.dead)]
            return all(self.wire.ready(queue) >= count for queue, count in counts)

        deadline = time.monotonic() + 2 * harness.PATIENCE
        waiting = list(self.cells.values())
        while waiting and time.monotonic() < deadline and self.worker.process.poll() is None:
            waiting = [cell for cell in waiting if not is_complete(cell)]
            begun = self.worker.begun()
            if not waiting and all(begun.count(cell.task_id) >= cell.expected.runs for cell in self.cells.values()):
                break
            time.sleep(0.1)
        time.sleep(1.5)

def publish(wire, cell, case):
    """Sends the message of a case, with a callback, an errback and a next step."""

    def signature(task, **options):
        return {"task": task, "args": [], "kwargs": {}, "options": {"queue": cell.follow} | options, "subtask_type": None, "immutable": False}

    embed = {
        "callbacks": [signature("follow.callback")],
        "errbacks": [signature("follow.errback")],
        "chain": [signature("follow.step", task_id=f"{cell.task_id}-step", reply_to=cell.replies)],
        "chord": None,
    }
    args = (cell.follow,) if cell.name == "replace" else ()
    wire.publish_task(
        cell.queue, f"{cell.mode}.{case.task or cell.name}", args, task_id=cell.task_id, reply_to=cell.replies, embed=embed, **case.message)


def observation(wire, cell, begun):
    results, steps = [], []
    while message := wire.channel.basic_get(cell.replies, no_ack=True):
        body = json.loads(message.body)
        (results if body["task_id"] == cell.task_id else steps).append(_result(body))
    sent = []
    while message := wire.channel.basic_get(cell.follow, no_ack=True):
        sent.append(message.headers["task"])
    return Expected(tuple(results), tuple(steps), tuple(sent), wire.ready(cell.dead), wire.ready(cell.queue), begun.count(cell.task_id))


def _result(body):
    found = dict(status=body["status"], traceback=bool(body["traceback"]))
    value = body["result"]
    if isinstance(value, dict) and "exc_type" in value:
        message = value["exc_message"]
        found |= dict(exc_type=value["exc_type"], exc_module=value["exc_module"], message=tuple(message) if isinstance(message, list) else message)
    else:
        found |= dict(value=value)
    return Result(**found)


def matches(observed, expected):
    if isinstance(expected, str) and expected == ANY:
        return True
    if isinstance(expected, tuple) and isinstance(observed, tuple):
        return len(observed) == len(expected) and all(map(matches, observed, expected))
    if dataclasses.is_dataclass(expected) and type(observed) is type(expected):
        fields = [field.name for field in dataclasses.fields(expected)]
        return all(matches(getattr(observed, name), getattr(expected, name)) for name in fields)
    return observed == expected


def differences(cell):
    """Where a cell is not as expected, in words."""
    return [
        f"{field.name}: observed {observed!r}, expected {expected!r}"
        for field in dataclasses.fields(Expected)
        if not matches(observed := getattr(cell.observed, field.name), expected := getattr(cell.expected, field.name))
    ]


def endings_of(kind):
    """Name and modes of every case that ends the worker; where one task runs at a time, one mode at a time."""
    for name, case in ENDINGS.items():
        modes = [mode for mode in case.expected if case.expectation(kind, mode)]
        if kind.endswith("solo") or name == "lost_worker":
            yield from ((name, [mode]) for mode in modes)
        elif modes:
            yield name, modes


def main(kinds):
    """Prints what one worker does otherwise than the table says."""
    for kind in kinds:
        folder = tempfile.mkdtemp()
        start = time.monotonic()
        runs = [Ending(kind, name, folder, modes) for name, modes in endings_of(kind)] if "-e" in sys.argv else [Run(kind, folder)]
        for run in runs:
            try:
                cells = run.observe()
            except BaseException:
                print(run.worker.log_text[-3000:])
                raise
            for cell in cells.values():
                for text in differences(cell):
                    print(kind, *cell.key, text)
        print(f"{kind}: {time.monotonic() - start:.1f} s, {folder}")


if __name__ == "__main__":
    main([name for name in sys.argv[1:] if name in KINDS])
