"""What a client publishes when it sends a chord: read from the broker, nobody consumes it."""
import datetime
import json
import os
import pathlib
import subprocess
import sys

import amqp
import celery
import pytest
from celery import Celery, chain, chord, group
from celery.exceptions import ImproperlyConfigured
from harness import BROKER_URL, unique
from kombu.exceptions import OperationalError

from swcelery_chords import ChordRPCBackend, manifest
from swcelery_chords.collector import QUEUE_ARGUMENTS, Collector


@pytest.fixture
def s(app):
    return lambda name, *args, **options: app.signature(name, args=args, options=options)


def identity(x):
    return x


def app_of(s):
    return s("any").app


def ids(members):
    return [member[0] for member in members]


def leaves(result):
    """The ids in a header's result, in the order of its `get()`."""
    return [leaf for part in result.results for leaf in (leaves(part) if hasattr(part, "results") else [part.id])]


def collector_of(place, group_id):
    return Collector(place.prefix, place.queues).queue(group_id)


def test_manifest_names_the_members_and_the_body(place, app, s):
    result = chord([s("a", 1), s("b", 2)], s("sum")).apply_async()
    sent, tasks = place.manifests(), place.tasks()
    assert len(sent) == 1
    assert sent[0] == {
        "version": 1, "group_id": result.parent.id, "members": [[tasks["a"].id, app.thread_oid], [tasks["b"].id, app.thread_oid]],
        "body": sent[0]["body"], "shape": None, "root_id": None, "policy": "fail", "deadline": sent[0]["deadline"],
    }
    body = sent[0]["body"]
    assert body["task"] == "sum"
    assert body["options"]["task_id"] == result.id
    assert body["options"]["reply_to"] == app.thread_oid
    for index, name in enumerate("ab"):
        task = tasks[name]
        assert (task.group, task.index) == (result.parent.id, index)
        assert task.reply_to == collector_of(place, task.group)
        assert task.chord["options"]["task_id"] == result.id
        assert task.ignores is False


def test_manifest_message_and_its_queue(place, s):
    result = chord([s("a")], s("sum")).apply_async()
    queue = place.collector_queues[0]
    place.wire.channel.queue_declare(queue, durable=True, auto_delete=False, arguments=QUEUE_ARGUMENTS)
    message, _ = place.part()
    assert message.properties["type"] == "swcelery.chord"
    assert message.properties["message_id"]
    assert message.properties["correlation_id"] == result.parent.id
    assert message.properties["delivery_mode"] == 2
    assert message.properties["content_type"] == "application/json"
    assert message.properties["content_encoding"] == "utf-8"
    with pytest.raises(amqp.PreconditionFailed):
        place.wire.channel.queue_declare(queue, durable=True, auto_delete=False)
    place.wire._reopen_after_error()


def test_order_is_that_of_the_header_result(place, s):
    header = [s("a"), s("b") | s("c"), group([s("d"), group([s("e"), s("f")]), s("g")]), chord([s("h")], s("i")), s("j") | group([s("k"), s("l")])]
    result = chord(header, s("sum")).apply_async()
    outer = [found for found in place.manifests() if found["group_id"] == result.parent.id]
    assert len(outer) == 1
    assert ids(outer[0]["members"]) == leaves(result.parent)
    assert len(outer[0]["members"]) == 9
    assert outer[0]["shape"] == [True] * 7 + [[True, True]]


def test_chain_reports_with_its_last_step(place, app, s):
    result = chord([s("a") | s("b") | s("c")], s("sum")).apply_async()
    member = place.manifests()[0]["members"][0]
    first = place.tasks()["a"]
    assert first.reply_to == app.thread_oid
    assert first.chord is None
    last, middle = first.chain
    assert middle["options"]["reply_to"] == app.thread_oid
    assert last["task"] == "c"
    assert last["options"]["task_id"] == member[0]
    assert last["options"]["reply_to"] == collector_of(place, result.parent.id)
    assert last["options"]["group_id"] == result.parent.id
    assert last["options"]["ignore_result"] is False
    assert member[1] == app.thread_oid


def test_chain_that_ends_in_a_group_reports_with_each_of_it(place, app, s):
    result = chord([s("a") | group([s("b"), s("c")]), s("d")], s("sum")).apply_async()
    found = place.manifests()[0]
    members = found["members"]
    assert found["shape"] == [[True, True], True]
    tasks = place.tasks()["a"].chain[0]["kwargs"]["tasks"]
    assert [task["options"]["task_id"] for task in tasks] == ids(members)[:2]
    assert {task["options"]["reply_to"] for task in tasks} == {collector_of(place, result.parent.id)}
    assert {reply_to for _, reply_to in members} == {app.thread_oid}


def test_nested_chord_reports_with_its_body(place, app, s):
    result = chord([chord([s("a"), s("b")], s("inner")), s("c")], s("outer")).apply_async()
    outer, inner = place.manifests()
    assert outer["group_id"] == result.parent.id
    assert inner["body"]["options"]["task_id"] == ids(outer["members"])[0]
    assert inner["body"]["options"]["reply_to"] == collector_of(place, outer["group_id"])
    assert inner["body"]["options"]["group_id"] == outer["group_id"]
    assert inner["body"]["options"]["chord"]["task"] == "outer"
    assert {reply_to for _, reply_to in outer["members"] + inner["members"]} == {app.thread_oid}
    assert outer["body"]["options"]["reply_to"] == app.thread_oid
    tasks = place.tasks()
    assert [tasks["a"].id, tasks["b"].id] == ids(inner["members"])


def test_nested_chord_with_a_group_as_its_body(place, s):
    chord([s("c"), chord([s("a")], group([s("x"), s("y")]))], s("sum")).apply_async()
    outer, inner = place.manifests()
    assert outer["shape"] == [True, [True, True]]
    assert [task["options"]["task_id"] for task in inner["body"]["kwargs"]["tasks"]] == ids(outer["members"])[1:]
    assert {task["options"]["reply_to"] for task in inner["body"]["kwargs"]["tasks"]} == {collector_of(place, outer["group_id"])}


def test_chord_in_a_chain_is_left_to_who_runs_it(place, app, s):
    chain(s("a"), group([s("b"), s("c")]), s("sum"), s("d")).apply_async()
    assert place.manifests() == []
    first = place.tasks()["a"]
    step = next(step for step in first.chain if step["task"] == "celery.chord")
    header = step["kwargs"]["header"]
    header = header["kwargs"]["tasks"] if isinstance(header, dict) else header
    assert {task["options"]["reply_to"] for task in header} == {app.thread_oid}


def test_bodies_of_every_kind(place, app, s):
    def body(of):
        chord([s("a"), s("b")], of).apply_async()
        place.tasks()
        return place.manifests()[0]["body"]

    assert body(s("sum") | s("next"))["subtask_type"] in ("chain", None)  # 5.7 keeps the rest of a chain apart
    members = body(group([s("x"), s("y")]))["kwargs"]["tasks"]
    assert {task["options"]["reply_to"] for task in members} == {app.thread_oid}
    inner = body(chord([s("x"), s("y")], s("z")))
    assert inner["subtask_type"] == "chord"
    assert inner["kwargs"]["body"]["options"]["reply_to"] == app.thread_oid
    assert body(s("sum", queue="elsewhere", priority=3))["options"]["queue"] == "elsewhere"


def test_body_is_addressed_as_its_sender_would(place):
    app = place.app(task_routes={"routed*": {"queue": "by-route", "priority": 4}})
    s = app.signature
    app.task(identity, name="own", queue="by-task", time_limit=9, shared=False)

    def options(body):
        chord([s("a")], body, app=app).apply_async()
        found = place.manifests()[0]["body"]
        place.tasks()
        return found

    assert options(s("plain"))["options"]["queue"] == place.task_queue
    routed = options(s("routed.1"))["options"]
    assert (routed["queue"], routed["priority"]) == ("by-route", 4)
    own = options(s("own"))["options"]
    assert (own["queue"], own["time_limit"]) == ("by-task", 9)
    assert options(s("own", queue="mine"))["options"]["queue"] == "mine"
    assert "queue" not in options(s("plain", exchange="x", routing_key="y"))["options"]
    members = options(group([s("own"), s("plain")]))["kwargs"]["tasks"]
    assert [member["options"]["queue"] for member in members] == ["by-task", place.task_queue]
    inner = options(chord([s("own")], s("routed.2")))["kwargs"]
    header = inner["header"]["kwargs"]["tasks"] if isinstance(inner["header"], dict) else inner["header"]
    assert header[0]["options"]["queue"] == "by-task"
    assert inner["body"]["options"]["queue"] == "by-route"
    failing = options(s("plain").on_error(s("own")))["options"]
    assert failing["link_error"][0]["options"]["queue"] == "by-task"
    app.close()


def test_group_piped_into_a_task(place, s):
    (group([s("a"), s("b")]) | s("sum")).apply_async()
    assert len(place.manifests()[0]["members"]) == 2


def test_header_may_be_a_generator(place, s):
    chord((s(name) for name in "abc"), s("sum")).apply_async()
    tasks = place.tasks()
    assert ids(place.manifests()[0]["members"]) == [tasks[name].id for name in "abc"]
    assert {task.reply_to for task in tasks.values()} == set(place.collector_queues)


def test_map_is_one_member(place, app):
    add = app.task(identity, name="t.inc", shared=False)
    chord([add.map([1, 2]), add.s(1)], add.s()).apply_async()
    tasks = place.tasks()
    assert ids(place.manifests()[0]["members"]) == [tasks["celery.map"].id, tasks["t.inc"].id]
    assert tasks["celery.map"].reply_to in place.collector_queues


def test_empty_header_sends_the_body(place, app, s):
    chord([], s("sum"), app=app).apply_async()
    assert place.manifests() == []
    assert place.tasks()["sum"].reply_to == app.thread_oid


def test_ignored_results_of_members_are_for_the_chord_alone(place, app, s):
    quiet = app.task(identity, name="t.quiet", ignore_result=True, shared=False)
    chord([quiet.s(1), s("a") | quiet.s(), s("b", ignore_result=True), quiet.s(1).set(ignore_result=False)], s("sum")).apply_async()
    assert [reply_to for _, reply_to in place.manifests()[0]["members"]] == [None, None, None, app.thread_oid]
    tasks = place.tasks()
    assert tasks["b"].ignores is False
    assert tasks["t.quiet"].ignores is False
    assert tasks["a"].chain[0]["options"]["ignore_result"] is False


def test_same_chord_twice(place, app, s):
    template = chord([s("a"), s("b") | s("c")], s("sum"))
    template.apply_async()
    template.apply_async()
    first, second = place.manifests()
    assert not set(ids(first["members"])) & set(ids(second["members"]))
    assert {reply_to for _, reply_to in first["members"] + second["members"]} == {app.thread_oid}


def test_reply_queue_of_the_callers_choice(place, s):
    for sent in (chord([s("a")], s("sum")).set(reply_to="mine").apply_async, lambda: chord([s("a")], s("sum")).apply_async(reply_to="mine")):
        sent()
        found = place.manifests()[0]
        assert found["members"][0][1] == "mine"
        assert found["body"]["options"]["reply_to"] == "mine"
        assert place.tasks()["a"].reply_to in place.collector_queues


def test_root_of_the_workflow(place, s):
    chord([s("a")], s("sum", root_id="root")).apply_async()
    assert place.manifests()[0]["root_id"] == "root"


@pytest.mark.parametrize("name", ["fail", "ignore", "continue"])
def test_failure_policy(place, s, name):
    chord([s("a")], s("sum")).set(headers={"swcelery_group_policy": name, "other": 1}).apply_async()
    found = place.manifests()[0]
    assert found["policy"] == name
    assert found["body"]["options"]["headers"] == {"other": 1}
    task = place.tasks()["a"]
    assert "swcelery_group_policy" not in task.headers
    assert task.headers["other"] == 1


def test_failure_policy_is_the_chords_own(place, s):
    inner = chord([s("x")], s("y")).set(headers={"swcelery_group_policy": "ignore"})
    chord([s("a"), inner], inner).apply_async()
    assert [found["policy"] for found in place.manifests()] == ["fail", "ignore"]
    chord([inner], s("sum")).set(headers={"swcelery_group_policy": "continue"}).apply_async()
    assert [found["policy"] for found in place.manifests()] == ["continue", "ignore"]


@pytest.mark.parametrize("sent", [
    lambda s, header: header | s("sum"),
    lambda s, header: chord(header, s("sum")),
    lambda s, header: chord(dict(header), s("sum")),
    lambda s, header: chain(header, s("sum"), s("next")),
    lambda s, header: app_of(s).signature(json.loads(json.dumps(header | s("sum")))),
    lambda s, header: chord(header, s("sum"), headers={"other": 1}),
])
def test_failure_policy_of_a_group_is_that_of_its_chord(place, s, sent):
    sent(s, group([s("a"), s("b")]).set(headers={"swcelery_group_policy": "continue", "own": 1})).apply_async()
    assert place.manifests()[0]["policy"] == "continue"
    tasks = place.tasks()
    assert set(tasks) == {"a", "b"}
    assert not any("swcelery_group_policy" in task.headers for task in tasks.values())


def test_failure_policy_of_a_chord_comes_before_its_groups(place, s):
    header = group([s("a")]).set(headers={"swcelery_group_policy": "continue"})
    chord(header, s("sum"), headers={"swcelery_group_policy": "ignore"}).apply_async()
    (header | s("sum")).apply_async(headers={"swcelery_group_policy": "ignore"})
    assert [found["policy"] for found in place.manifests()] == ["ignore", "ignore"]


def test_unknown_failure_policy_is_refused(place, s):
    with pytest.raises(ValueError, match="swcelery_group_policy"):
        chord([s("a")], s("sum")).set(headers={"swcelery_group_policy": "shrug"}).apply_async()
    assert place.manifests() == [] and place.tasks() == {}


def seconds_left(place, before):
    """From `before` to the deadline of the only chord that was sent; None for never."""
    found = [sent["deadline"] for sent in place.manifests()]
    assert len(found) == 1
    return found[0] and (datetime.datetime.fromisoformat(found[0]) - before).total_seconds()


def now():
    return datetime.datetime.now(datetime.timezone.utc)


@pytest.mark.parametrize("settings, seconds", [
    ({}, 86400), ({"result_chord_expires": 60}, 60), ({"result_chord_expires": datetime.timedelta(hours=1)}, 3600), ({"result_chord_expires": 0}, None),
    ({"result_expires": 60}, 60), ({"result_expires": datetime.timedelta(days=7)}, 7 * 86400),
    ({"result_expires": None}, None), ({"result_expires": 60, "result_chord_expires": 3600}, 3600), ({"result_expires": 60, "result_chord_expires": 0}, None),
])
def test_deadline(place, settings, seconds):
    app = place.app(**settings)
    before = now()
    chord([app.signature("a")], app.signature("sum")).apply_async()
    left = seconds_left(place, before)
    if seconds is None:
        assert left is None
    else:
        assert seconds <= left < seconds + 60
    app.close()


DAY = 86400

DELAYED = {
    "option of the chord": (lambda s: chord([s("a"), s("b")], s("sum")).set(countdown=3 * DAY).apply_async(), 3),
    "eta": (lambda s: chord([s("a")], s("sum")).apply_async(eta=now() + datetime.timedelta(days=3)), 3),
    "eta as text": (lambda s: chord([s("a", eta=(now() + datetime.timedelta(days=3)).isoformat())], s("sum")).apply_async(), 3),
    "eta without a zone": (lambda s: chord([s("a", eta=now().replace(tzinfo=None) + datetime.timedelta(days=3))], s("sum")).apply_async(), 3),
    "eta that has passed": (lambda s: chord([s("a", eta=now() - datetime.timedelta(days=3))], s("sum")).apply_async(), 0),
    "latest of the tasks": (lambda s: chord([s("a", countdown=DAY), s("b", countdown=2 * DAY), s("c")], s("sum")).apply_async(), 2),
    "the chord's comes before the task's": (lambda s: chord([s("a", countdown=2 * DAY)], s("sum")).set(countdown=DAY).apply_async(), 1),
    "steps of a chain": (lambda s: chord([s("a", countdown=DAY) | s("b", countdown=2 * DAY)], s("sum")).apply_async(), 3),
    "group in the header": (lambda s: chord([s("a"), group([s("b"), s("c", countdown=DAY)])], s("sum")).apply_async(), 1),
    "group at the end of a chain": (lambda s: chord([s("a", countdown=DAY) | group([s("b"), s("c", countdown=DAY)])], s("sum")).apply_async(), 2),
    "generator": (lambda s: chord((s(name, countdown=DAY) for name in "ab"), s("sum")).apply_async(), 1),
    "piped": (lambda s: (group([s("a"), s("b", countdown=DAY)]) | s("sum")).apply_async(), 1),
    "body": (lambda s: chord([s("a")], s("sum", countdown=DAY)).apply_async(), 0),
}


@pytest.mark.parametrize("name", DELAYED)
def test_deadline_counts_from_when_the_tasks_are_due(place, s, name):
    send, days = DELAYED[name]
    before = now()
    send(s)
    assert DAY * (days + 1) - 1 <= seconds_left(place, before) < DAY * (days + 1) + 60


def test_countdown_of_the_call(place, s):
    """Before 5.7 it delays the body."""
    before = now()
    chord([s("a")], s("sum")).apply_async(countdown=3 * DAY)
    sent = place.manifests()[0]
    due = place.tasks()["a"].headers["eta"]
    left = (datetime.datetime.fromisoformat(sent["deadline"]) - before).total_seconds()
    expected = 4 * DAY if due else DAY
    assert expected <= left < expected + 60
    assert bool(due) is (celery.VERSION >= (5, 7))


def test_nested_chord_delays_the_outer_one(place, s):
    before = now()
    result = chord([chord([s("a", countdown=DAY)], s("b", countdown=DAY)), s("c")], s("sum")).apply_async()
    left = {sent["group_id"]: datetime.datetime.fromisoformat(sent["deadline"]) - before for sent in place.manifests()}
    outer = left.pop(result.parent.id)
    assert datetime.timedelta(days=3) <= outer < datetime.timedelta(days=3, minutes=1)
    inner, = left.values()
    assert datetime.timedelta(days=2) <= inner < datetime.timedelta(days=2, minutes=1)


def test_chords_are_spread_over_the_queues(wire):
    from conftest import Place
    place = Place(wire, unique("chords"), queues=3)
    app = place.app()
    for _ in range(12):
        chord([app.signature("a")], app.signature("sum")).apply_async()
    for number, queue in enumerate(place.collector_queues):
        for message in place.messages(queue):
            group_id = message.properties["correlation_id"]
            assert sum(byte * 31 ** power for power, byte in enumerate(reversed(group_id.encode()))) % 2**32 % 3 == number
    app.close()


@pytest.mark.parametrize("settings", [{"chord_queues": 0}, {"chord_queues": 65}, {"chord_queues": "2"}, {"chord_queue_prefix": ""}])
def test_settings_are_checked(place, settings):
    app = place.app(**settings)
    with pytest.raises(ImproperlyConfigured):
        chord([app.signature("a")], app.signature("sum")).apply_async()
    app.close()


def test_settings_of_a_namespace():
    class Settings:
        CELERY_CHORD_QUEUE_PREFIX = "x.chords"
        CELERY_CHORD_QUEUES = 5
        CELERY_RESULT_BACKEND = "swcelery_chords:ChordRPCBackend"

    app = Celery(set_as_current=False)
    app.config_from_object(Settings, namespace="CELERY")
    assert isinstance(app.backend, ChordRPCBackend)
    assert (app.backend.collector.prefix, app.backend.collector.queues) == ("x.chords", 5)


def test_refused_queue_raises_and_sends_nothing(place, s):
    place.wire.channel.queue_declare(place.collector_queues[0], durable=True, auto_delete=False)
    with pytest.raises(OperationalError, match="PRECONDITION_FAILED"):
        chord([s("a")], s("sum")).apply_async()
    assert place.tasks() == {}


def test_missing_broker_raises():
    app = Celery(broker="amqp://127.0.0.1:1//", backend="swcelery_chords:ChordRPCBackend", set_as_current=False)
    app.conf.update(task_publish_retry_policy={"max_retries": 1, "interval_start": 0, "interval_step": 0.01})
    with pytest.raises(OperationalError):
        chord([app.signature("a")], app.signature("sum")).apply_async()


def test_other_transports_are_refused():
    app = Celery(broker="memory://", backend="swcelery_chords:ChordRPCBackend", set_as_current=False)
    with pytest.raises(ImproperlyConfigured, match="amqp"):
        chord([app.signature("a")], app.signature("sum")).apply_async()


def test_too_large_a_chord_is_refused(place, s, monkeypatch):
    monkeypatch.setattr(manifest, "MAX_BYTES", 1000)
    with pytest.raises(ValueError, match="1000"):
        chord([s("a") for _ in range(20)], s("sum")).apply_async()
    assert place.tasks() == {}


def test_task_that_occurs_twice_is_refused(place, s):
    same = s("a", task_id="same")
    with pytest.raises(ValueError, match="twice"):
        chord([same, same], s("sum")).apply_async()
    assert place.tasks() == {}


def test_add_to_chord_is_refused(app):
    with pytest.raises(NotImplementedError, match="replace"):
        app.backend.add_to_chord("group", None)


def test_other_backends_are_as_they_were(place):
    rpc = place.app("rpc://")
    with pytest.raises(NotImplementedError):
        chord([rpc.signature("a")], rpc.signature("sum")).apply_async()
    polled = place.app("cache+memory://")
    chord([polled.signature("a")], polled.signature("sum")).apply_async()
    tasks = place.tasks()
    assert set(tasks) == {"a"}
    assert tasks["a"].reply_to == polled.thread_oid
    rpc.close()
    polled.close()


def test_eager_chord(place):
    app = place.app(task_always_eager=True, task_store_eager_result=False)
    task = app.task(identity, name="t.identity", shared=False)
    assert chord([task.s(1), task.s(2)], task.s()).apply_async().get() == [1, 2]


def test_fork_does_not_share_the_connection(place, app, s):
    chord([s("a")], s("sum")).apply_async()
    child = os.fork()
    if child == 0:
        try:
            chord([s("b")], s("sum")).apply_async()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    chord([s("c")], s("sum")).apply_async()
    assert len(place.manifests()) == 3


def test_installed_package_is_found_by_its_url(tmp_path):
    package = pathlib.Path(__file__).parent.parent
    copy = tmp_path / "source"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "swcelery_chords"):
        (copy / name).symlink_to(package / name)
    target = tmp_path / "installed"
    install = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--target", str(target), str(copy)],
        capture_output=True, text=True, timeout=120,
    )
    assert install.returncode == 0, install.stderr
    script = "from celery import Celery; app = Celery(broker='amqp://', backend='swcelery_chords+rpc://'); print(type(app.backend).__name__)"
    environment = dict(os.environ, PYTHONPATH=str(target))
    assert subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True).stdout.strip() == "ChordRPCBackend"
    assert BROKER_URL
