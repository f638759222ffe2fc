"""What Python workers report to the collector: each test reads its queue in the collector's place."""
import contextlib
import json
import time

import amqp
import pytest
from celery import chain, chord, group
from harness import EMBED, eventually

from swcelery_chords.collector import QUEUE_ARGUMENTS

FINAL = {"SUCCESS", "FAILURE", "REVOKED"}


@pytest.fixture
def place(shared_place):
    """The one with the worker, and nothing in the collector queue."""
    with contextlib.suppress(amqp.NotFound):
        shared_place.wire.channel.queue_purge(shared_place.collector_queues[0])
    shared_place.wire._reopen_after_error()
    return shared_place


@pytest.fixture
def s(app):
    return lambda name, *args, **options: app.signature(f"t.{name}", args=args, options=options)


def read(place, parts, manifests=1, timeout=60):
    """The manifests by group id and the final parts by task id, once there are as many; then nothing else is left."""
    found_manifests, found_parts, messages = {}, {}, {}
    deadline = time.monotonic() + timeout
    while len(found_parts) < parts or len(found_manifests) < manifests:
        message, body = place.part(max(0.1, deadline - time.monotonic()))
        if message.properties.get("type") == "swcelery.chord":
            found_manifests[body["group_id"]] = body
        elif body["status"] in FINAL:
            assert body["task_id"] not in found_parts, "a part came twice"
            found_parts[body["task_id"]] = body
            messages[body["task_id"]] = message
    for task_id, message in messages.items():
        assert message.properties["delivery_mode"] == 2
        assert message.properties["correlation_id"] == task_id
        assert message.properties["content_type"] == "application/json"
    return found_manifests, found_parts


def settled(place):
    """Nothing more comes that matters. A RETRY may well come behind the last state: Celery reports it after it has sent the task again."""
    time.sleep(0.3)
    return not [message for message in place.messages(place.collector_queues[0]) if json.loads(message.body).get("status") in FINAL]


def members(manifests, result):
    """Those of the chord whose body is the result."""
    found, = (manifest for manifest in manifests.values() if manifest["body"]["options"]["task_id"] == result.id)
    return [task_id for task_id, _ in found["members"]]


@pytest.mark.parametrize("header, results", [
    (lambda s: [s("add", 1, 2), s("add", 3, 4)], [3, 7]),
    (lambda s: [s("ignored", 5), s("add", 1, 1)], [5, 2]),
    (lambda s: [s("add", 1, 2) | s("add", 1), s("ignored", 1) | s("ignored")], [4, 1]),
    (lambda s: [s("add", 1, 2) | group([s("add", 1), s("ignored")])], [4, 3]),
    (lambda s: [s("retry", 6)], [6]),
    (lambda s: [s("replace", 1), s("replace_ignored", 2), s("replace_chain", 3)], [2, 2, 5]),
])
def test_parts(place, s, header, results):
    result = chord(header(s), s("sum")).apply_async()
    manifests, parts = read(place, len(results))
    assert [parts[task_id]["result"] for task_id in members(manifests, result)] == results
    assert {part["status"] for part in parts.values()} == {"SUCCESS"}
    assert settled(place)


@pytest.mark.parametrize("header, failed", [
    (lambda s: [s("fail"), s("add", 1, 1)], 1),
    (lambda s: [s("ignored_fail")], 1),
    (lambda s: [s("fail") | s("add", 1)], 1),
    (lambda s: [s("ignored_fail") | s("add", 1) | s("ignored")], 1),
    (lambda s: [s("fail") | group([s("add", 1), s("add", 2)])], 2),
    (lambda s: [s("ignored_fail") | group([s("add", 1) | s("add", 2), s("ignored")])], 2),
    (lambda s: [chain(s("fail"), chord([s("add", 1), s("add", 2)], s("sum")))], 1),
    (lambda s: [chain(s("ignored_fail"), chord([s("add", 1)], s("sum") | s("add", 1)))], 1),
])
def test_failed_parts(place, s, header, failed):
    header = header(s)
    result = chord(header, s("sum")).apply_async()
    others = len(header) - 1
    manifests, parts = read(place, failed + others)
    assert set(parts) == set(members(manifests, result))
    failures = [part for part in parts.values() if part["status"] == "FAILURE"]
    assert len(failures) == failed
    assert {part["result"]["exc_type"] for part in failures} == {"ValueError"}
    assert settled(place)


def test_expired_part_is_revoked(place):
    """Published by hand: the broker would drop what the client sends as expired."""
    queue = place.collector_queues[0]
    place.wire.channel.queue_declare(queue, durable=True, auto_delete=False, arguments=QUEUE_ARGUMENTS)
    body = {"task": "t.sum", "args": [], "kwargs": {}, "options": {"task_id": "body"}, "subtask_type": None, "immutable": False}
    leaf = {"task": "t.add", "args": [1], "kwargs": {}, "subtask_type": None, "immutable": False,
            "options": {"task_id": "leaf", "reply_to": queue, "group_id": "g", "chord": body}}
    headers = {"expires": "2020-01-01T00:00:00+00:00"}
    place.wire.publish_task(place.task_queue, "t.add", (1, 1), task_id="plain", headers=headers, embed={**EMBED, "chord": body}, reply_to=queue)
    place.wire.publish_task(place.task_queue, "t.add", (1, 1), headers=headers, embed={**EMBED, "chain": [leaf]}, reply_to="nobody")
    _, parts = read(place, 2, manifests=0)
    assert {task_id: part["status"] for task_id, part in parts.items()} == {"plain": "REVOKED", "leaf": "REVOKED"}
    assert settled(place)


def test_member_that_replaces_itself_with_a_group(place, app, s):
    result = chord([s("replace_group", 5)], s("sum")).apply_async()
    manifests, parts = read(place, 2, manifests=2)
    outer = manifests.pop(result.parent.id)
    inner, = manifests.values()
    assert inner["body"]["task"] == "celery.accumulate"
    assert inner["body"]["options"]["task_id"] == outer["members"][0][0]
    assert inner["body"]["options"]["reply_to"] == place.collector_queues[0]
    assert inner["body"]["options"]["chord"]["task"] == "t.sum"
    assert inner["body"]["options"]["group_id"] == outer["group_id"]
    assert outer["members"][0][1] == app.thread_oid
    assert [parts[task_id]["result"] for task_id, _ in inner["members"]] == [6, 7]
    # The body, sent as the collector will, reports to the outer chord.
    app.signature(inner["body"]).apply_async(([6, 7],))
    _, parts = read(place, 1, manifests=0)
    assert parts[outer["members"][0][0]]["result"] == [6, 7]


def test_replaced_task_answers_its_caller(place, s):
    assert s("replace", 1).apply_async().get(timeout=60) == 2
    assert s("replace_chain", 1).apply_async().get(timeout=60) == 3
    assert (s("replace", 1) | s("add", 10)).apply_async().get(timeout=60) == 12


def test_task_that_replaces_itself_with_a_group(place, app, s):
    result = s("replace_group", 1).apply_async()
    manifests, parts = read(place, 2)
    manifest, = manifests.values()
    assert manifest["body"]["options"]["task_id"] == result.id
    assert manifest["body"]["options"]["reply_to"] == app.thread_oid
    app.signature(manifest["body"]).apply_async(([2, 3],))
    assert result.get(timeout=60) == [2, 3]


def test_chord_that_a_worker_sends(place, s):
    result = s("send_chord", 1).apply_async()
    body_id = result.get(timeout=60)
    manifests, parts = read(place, 2)
    manifest, = manifests.values()
    assert manifest["body"]["options"]["task_id"] == body_id
    assert manifest["root_id"] == result.id
    assert sorted(part["result"] for part in parts.values()) == [2, 3]


def test_chord_in_a_chain(place, app, s):
    result = chain(s("add", 1, 1), group([s("add", 1), s("add", 2)]), s("sum"), s("add", 100)).apply_async()
    manifests, parts = read(place, 2)
    manifest, = manifests.values()
    assert [parts[task_id]["result"] for task_id, _ in manifest["members"]] == [3, 4]
    assert {reply_to for _, reply_to in manifest["members"]} == {app.thread_oid}
    app.signature(manifest["body"]).apply_async(([3, 4],))
    assert result.get(timeout=60) == 107


def test_states_before_the_last_are_not_kept(place, s):
    """They come too, in any order, and are not persistent, as rpc publishes them."""
    chord([s("retry", 1)], s("sum")).apply_async()
    message, _ = place.part()
    assert message.properties["type"] == "swcelery.chord"
    states = []
    while len(states) < 3:
        message, body = place.part()
        states.append(body["status"])
        assert message.properties["delivery_mode"] == (2 if body["status"] == "SUCCESS" else 1)
    assert sorted(states) == ["RETRY", "RETRY", "SUCCESS"]


def test_prefork_worker(own_place, start_worker):
    start_worker(own_place, "-P", "prefork", "-c", "2")
    app = own_place.app()
    add = app.signature("t.add", (1,))
    result = chord([add.clone((number,)) for number in range(6)], app.signature("t.sum")).apply_async()
    manifests, parts = read(own_place, 6)
    assert [parts[task_id]["result"] for task_id in members(manifests, result)] == [1, 2, 3, 4, 5, 6]
    app.close()


def test_stock_worker_reports_too(own_place, start_worker):
    start_worker(own_place, CHORD_BACKEND="rpc://")
    app = own_place.app()
    add = app.signature("t.add", (1, 1))
    result = chord([add, add | app.signature("t.add", (1,)), app.signature("t.fail")], app.signature("t.sum")).apply_async()
    queue = own_place.collector_queues[0]
    eventually(lambda: own_place.wire.ready(queue) == 4, 60, "the manifest and three parts")
    found = {message.properties["correlation_id"] for message in own_place.messages(queue)}
    assert result.parent.id in found and len(found) == 4
    app.close()
