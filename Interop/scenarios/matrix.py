"""Runs every case of outcomes.py once on one worker, all at the same time, and says what was observed of each."""
import contextlib
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import time

import harness
from harness import Wire, Worker, client_app, eventually, unique
from outcomes import ANY, CASES, MODES, TRAITS, Expected, Result

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


def outcome_command(kind, queues, concurrency=CONCURRENCY, name=None):
    language, _, pool = kind.partition("-")
    name = name or unique(kind)
    if language == "python":
        return [sys.executable, "-m", "celery", "-A", "proj.outcomes", "worker", "-P", pool, "-c", str(concurrency), "-n", f"{name}@%h", "-l", "info",
                "--without-gossip", "--without-mingle", "-Q", ",".join(queues)]
    return [harness.OUTCOME_WORKER, "embedded", pool, str(concurrency), f"{name}@%h"]


class OutcomeWorker(Worker):
    """A worker with the tasks of proj/outcomes.py, which notes in a journal what begins."""

    def __init__(self, kind, queues, folder, **options):
        self.kind = kind
        self.journal_path = pathlib.Path(folder) / f"{kind}.journal"
        self.node = unique(kind)
        environment = {"OUTCOME_JOURNAL": str(self.journal_path), "OUTCOME_QUEUES": ",".join(queues)}
        command = outcome_command(kind, queues, name=self.node, **options)
        super().__init__(command, queues, pathlib.Path(folder) / f"{kind}.log", environment=environment, stdin=subprocess.PIPE)

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
        self.worker = OutcomeWorker(kind, [cell.queue for cell in self.cells.values()], folder)

    def observe(self):
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
                cell.observed = self._observation(cell, begun)
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
            self._publish(cell)
        terminated = [cell for cell in self.cells.values() if CASES[cell.name].before == "terminate"]
        for cell in terminated:
            eventually(lambda: cell.task_id in self.worker.begun(), harness.PATIENCE, f"{cell.key} begins")
            self.worker.revoke(cell.task_id, terminate=True)

    def _publish(self, cell):
        case = CASES[cell.name]

        def signature(task, **options):
            return {"task": task, "args": [], "kwargs": {}, "options": {"queue": cell.follow} | options, "subtask_type": None, "immutable": False}

        embed = {
            "callbacks": [signature("follow.callback")],
            "errbacks": [signature("follow.errback")],
            "chain": [signature("follow.step", task_id=f"{cell.task_id}-step", reply_to=cell.replies)],
            "chord": None,
        }
        args = (cell.follow,) if cell.name == "replace" else ()
        self.wire.publish_task(
            cell.queue, f"{cell.mode}.{case.task or cell.name}", args, task_id=cell.task_id, reply_to=cell.replies, embed=embed, **case.message)

    def _wait(self):
        """Every case has what is expected of it; and a while longer, for what is not expected."""
        def is_complete(cell):
            expected = cell.expected
            counts = [(cell.replies, len(expected.results) + len(expected.steps)), (cell.follow, len(expected.sent)), (cell.dead, expected.dead)]
            return all(self.wire.ready(queue) >= count for queue, count in counts)

        deadline = time.monotonic() + harness.PATIENCE
        waiting = list(self.cells.values())
        while waiting and time.monotonic() < deadline and self.worker.process.poll() is None:
            waiting = [cell for cell in waiting if not is_complete(cell)]
            begun = self.worker.begun()
            if not waiting and all(begun.count(cell.task_id) >= cell.expected.runs for cell in self.cells.values()):
                break
            time.sleep(0.1)
        time.sleep(1.5)

    def _observation(self, cell, begun):
        results, steps = [], []
        while message := self.wire.channel.basic_get(cell.replies, no_ack=True):
            body = json.loads(message.body)
            (results if body["task_id"] == cell.task_id else steps).append(_result(body))
        sent = []
        while message := self.wire.channel.basic_get(cell.follow, no_ack=True):
            sent.append(message.headers["task"])
        return Expected(tuple(results), tuple(steps), tuple(sent), self.wire.ready(cell.dead), self.wire.ready(cell.queue), begun.count(cell.task_id))


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


if __name__ == "__main__":  # what one worker does, for whoever writes the table
    import tempfile
    for kind in sys.argv[1:]:
        folder = tempfile.mkdtemp()
        start = time.monotonic()
        run = Run(kind, folder)
        try:
            cells = run.observe()
        except BaseException:
            print(run.worker.log_text[-3000:])
            raise
        for cell in cells.values():
            good = matches(cell.observed, cell.expected)
            if not good:
                print("BAD ", kind, *cell.key)
                for field in dataclasses.fields(Expected):
                    o, e = getattr(cell.observed, field.name), getattr(cell.expected, field.name)
                    if not matches(o, e):
                        print("    observed", field.name, o)
                        print("    expected", field.name, e)
        print(kind, f"{time.monotonic() - start:.1f} s", folder)
