"""Chords of Python clients and Python workers, joined by one Swift worker that runs none of their tasks."""
import json
import os
import pathlib
import signal

import pytest
from celery import chain, chord, group
from celery.exceptions import ChordError
from conftest import Place
from harness import BROKER_URL, Wire, Worker, unique

SWCELERY = os.environ.get("SWCELERY", "")
PATIENCE = 60

pytestmark = pytest.mark.skipif(not SWCELERY, reason="needs the Swift worker: SWCELERY")


def swift_worker(place, folder, arguments=()):
    """A Swift worker that serves the place's collector, and a task queue that stays empty."""
    config = pathlib.Path(folder) / f"{unique('config')}.json"
    config.write_text(json.dumps({"chord_queue_prefix": place.prefix, "chord_queues": place.queues}))
    idle = unique("idle")
    place.wire.created.append(idle)
    command = [SWCELERY, "worker", "-Q", idle, "-P", "tasks", "-n", f"{unique('swift')}@%h", "-l", "info", "--config", str(config), "-b", BROKER_URL, *arguments]
    worker = Worker(command, [idle], config.with_suffix(".log"))
    return worker.wait_until_ready(place.wire)


@pytest.fixture(scope="module")
def shared_place(tmp_path_factory):
    """A collector of two queues, a Python worker and a Swift worker."""
    from conftest import _starting
    folder = tmp_path_factory.mktemp("joining")
    wire = Wire()
    place = Place(wire, unique("chords"), queues=2)
    for start in _starting(folder):
        start(place)
        swift = swift_worker(place, folder)
        yield place
        swift.end()
    wire.close()


@pytest.fixture
def place(shared_place):
    return shared_place


@pytest.fixture
def s(app):
    return lambda name, *args, **options: app.signature(f"t.{name}", args=args, options=options)


@pytest.fixture
def start_swift(tmp_path):
    workers = []

    def start(place):
        workers.append(swift_worker(place, tmp_path))
        return workers[-1]

    yield start
    for worker in workers:
        worker.end()


WORKFLOWS = {
    "tasks": (lambda s: chord([s("add", 1, 2), s("add", 3, 4)], s("sum")), 10),
    "one task": (lambda s: chord([s("add", 1, 2)], s("list")), [3]),
    "group and task": (lambda s: group(s("add", number, 1) for number in range(20)) | s("list"), list(range(1, 21))),
    "ignored results": (lambda s: chord([s("ignored", 1), s("add", 1, 1) | s("ignored")], s("list")), [1, 2]),
    "chains": (lambda s: chord([s("add", 1, 2) | s("add", 10), s("add", 1, 1)], s("list")), [13, 2]),
    "chain that ends in a group": (lambda s: chord([s("add", 1, 1) | group([s("add", 1), s("add", 2)]), s("add", 0, 0)], s("list")), [[3, 4], 0]),
    "group in the header": (lambda s: chord([s("add", 0, 0), group([s("add", 1, 1), s("add", 2, 2)])], s("sum")), 6),
    "nested chord": (lambda s: chord([chord([s("add", 1, 1), s("add", 2, 2)], s("sum")), s("add", 1, 0)], s("list")), [6, 1]),
    "chord in a chain in the header": (lambda s: chord([s("add", 1, 1) | group([s("add", 1), s("add", 2)]) | s("sum"), s("add", 1, 0)], s("list")), [7, 1]),
    "body is a chain": (lambda s: chord([s("add", 1, 2), s("add", 3, 4)], s("sum") | s("add", 1) | s("add", 1)), 12),
    "body is a group": (lambda s: chord([s("add", 1, 2)], group([s("sum"), s("list")])), [3, [3]]),
    "body is a chord": (lambda s: chord([s("add", 1, 2), s("add", 1, 1)], chord([s("list"), s("sum")], s("list"))), [[3, 2], 5]),
    "chord in a chain": (lambda s: chain(s("add", 1, 1), group([s("add", 1), s("add", 2)]), s("sum"), s("add", 100)), 107),
    "two chords in a chain": (
        lambda s: chain(s("add", 1, 1), group([s("add", 1), s("add", 2)]), s("sum"), group([s("add", 1), s("add", 2)]), s("list")), [8, 9],
    ),
    "retry": (lambda s: chord([s("retry", 1), s("retry", 2)], s("list")), [1, 2]),
    "members replace themselves": (
        lambda s: chord([s("replace", 1), s("replace_chain", 1), s("replace_group", 1), s("replace_ignored", 1)], s("list")), [2, 3, [2, 3], 1],
    ),
    "task replaces itself with a group": (lambda s: s("replace_group", 1), [2, 3]),
    "empty header": (lambda s: chord([], s("list"), app=s("list")._app), []),
}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_workflow(place, s, name):
    workflow, expected = WORKFLOWS[name]
    assert workflow(s).apply_async().get(timeout=PATIENCE) == expected


def test_results_of_the_header_reach_the_client(place, s):
    result = chord([s("add", 1, 2), s("add", 1, 1) | s("add", 5)], s("sum")).apply_async()
    seen = {}
    assert result.get(timeout=PATIENCE, on_message=lambda meta: seen.update({meta["task_id"]: meta["result"]})) == 10
    assert [seen[part.id] for part in result.parent.results] == [3, 7]
    assert result.parent.get(timeout=PATIENCE) == [3, 7]
    assert result.parent.completed_count() == 2


@pytest.mark.parametrize("header", [
    lambda s: [s("fail"), s("add", 1, 1)],
    lambda s: [s("ignored_fail") | s("ignored")],
    lambda s: [s("ignored_fail") | group([s("add", 1), s("add", 1)])],
    lambda s: [chord([s("fail")], s("sum")), s("add", 1, 1)],
])
def test_failed_header(place, s, header):
    result = chord(header(s), s("sum")).apply_async()
    with pytest.raises(ChordError, match="Dependency .* raised "):
        # The failure of the header's task, which reaches the client as well, would come first.
        result.get(timeout=PATIENCE, follow_parents=False)


@pytest.mark.parametrize("policy, expected", [("ignore", [2, 4]), ("continue", [2, None, 4])])
def test_failure_policy(place, s, policy, expected):
    header = [s("add", 1, 1), s("fail"), s("add", 2, 2)]
    result = chord(header, s("list")).set(headers={"swcelery_group_policy": policy}).apply_async()
    assert result.get(timeout=PATIENCE, follow_parents=False) == expected


def test_deadline(place):
    app = place.app(result_chord_expires=1)
    missing = app.signature("t.add", (1, 1), options={"queue": unique("nobody")})
    place.wire.created.append(missing.options["queue"])
    result = chord([missing, app.signature("t.add", (1, 1))], app.signature("t.sum")).apply_async()
    with pytest.raises(ChordError) as raised:
        result.get(timeout=PATIENCE, follow_parents=False)
    assert result.parent.results[0].id in str(raised.value)
    app.close()


def test_stock_workers(place, own_place, start_worker, start_swift):
    """The tasks run where nobody knows of this package; only who sends the chord does."""
    start_worker(own_place, CHORD_BACKEND="rpc://")
    start_swift(own_place)
    app = own_place.app()
    add = app.signature("t.add", (1, 1))
    assert chord([add, add | app.signature("t.add", (1,))], app.signature("t.list")).apply_async().get(timeout=PATIENCE) == [2, 3]
    app.close()


def test_prefork_workers(own_place, start_worker, start_swift):
    start_worker(own_place, "-P", "prefork", "-c", "2")
    start_swift(own_place)
    app = own_place.app()
    header = [app.signature("t.replace_group", (number,)) for number in range(4)]
    expected = [[number + 1, number + 2] for number in range(4)]
    assert chord(header, app.signature("t.list")).apply_async().get(timeout=PATIENCE) == expected
    app.close()


def test_chord_outlives_its_swift_worker(own_place, start_worker, start_swift):
    app = own_place.app()
    first = start_swift(own_place)
    result = chord([app.signature("t.add", (1, 1)), app.signature("t.add", (2, 2))], app.signature("t.list")).apply_async()
    first.stop(signal.SIGKILL)
    start_worker(own_place)
    start_swift(own_place)
    assert result.get(timeout=PATIENCE) == [2, 4]
    assert result.parent.get(timeout=PATIENCE) == [2, 4]
    app.close()
