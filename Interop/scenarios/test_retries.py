"""Retries as messages: the waits are those of Celery's formula, and what Celery's worker keeps of a message, ours keeps too."""
import datetime
import json
import re

import pytest

import harness
from harness import EMBED, TIMEOUT, eventually, text_of, unique
from matrix import OutcomeWorker

RETRIES = 10
COPIES = 8  # of each task whose wait is drawn by lot
EMITTER = re.compile(r"gen\d+@")

KINDS = ["python-solo"] + (["swift-tasks"] if harness.OUTCOME_WORKER and not harness.STAND_IN else [])


def run_until_retried(kind, wire, folder, send, count):
    """Lets a worker run what `send(queue, replies)` publishes, until it has retried `count` tasks; the messages that it has sent, by id.

    `send` may return further queues for replies.
    """
    queue, replies = unique(kind), wire.declare()
    worker = OutcomeWorker(kind, [queue], folder, arguments=["-Q", queue])
    try:
        worker.wait_until_ready(wire)
        answers = [replies, *(send(queue, replies) or [])]
        eventually(lambda: sum(map(wire.ready, answers)) == count, what=f"{count} answers")
        assert {json.loads(wire.get(name).body)["status"] for name in answers for _ in range(wire.ready(name))} == {"RETRY"}
        worker.stop()
        eventually(lambda: wire.ready(queue) == count, what=f"{count} retries in the queue")
        messages = [wire.get(queue) for _ in range(count)]
        return {message.headers["id"]: message for message in messages}
    finally:
        worker.end()
        wire.delete(queue)


def now():
    return datetime.datetime.now(datetime.timezone.utc)


# ---- the waits ----


def formula(factor, number, maximum=600):
    return min(maximum, factor * 2 ** number)


WAITS = {
    "backoff.plain": lambda number: formula(3, number),
    "backoff.fraction": lambda number: formula(2, number, 100),
    "backoff.none": lambda number: 7,
    "backoff.jitter": lambda number: formula(3, number),  # at most
}


@pytest.mark.parametrize("kind", KINDS)
def test_waits(wire, tmp_path, kind):
    """A wait depends on the number of retries alone, so that ten messages show what one task goes through.

    They came over an exchange whose only binding leads elsewhere by now, so that their retries can be read as they are.
    """
    cases = [(task, number) for task in WAITS for number in range(RETRIES) for _ in range(COPIES if task == "backoff.jitter" else 1)]
    exchange, queue, collector = unique("waits"), wire.declare(), wire.declare()
    wire.channel.exchange_declare(exchange, "fanout", durable=True, auto_delete=False)
    wire.channel.queue_bind(queue, exchange)
    ids, started = {}, now()
    for task, number in cases:
        ids[wire.publish_task(exchange, task, headers={"retries": number}, exchange=exchange)] = task, number
    eventually(lambda: wire.ready(queue) == len(cases))
    wire.channel.queue_bind(collector, exchange)
    wire.channel.queue_unbind(queue, exchange)
    worker = OutcomeWorker(kind, [queue], tmp_path, arguments=["-Q", queue])
    try:
        worker.wait_until_ready(wire)
        eventually(lambda: wire.ready(collector) == len(cases), what="every task is retried")
        assert worker.stop() == 0
    finally:
        worker.end()
        wire.channel.exchange_delete(exchange)
    took = (now() - started).total_seconds()
    messages = [wire.get(collector).headers for _ in cases]
    assert sorted(headers["id"] for headers in messages) == sorted(ids)
    drawn = []
    for headers in messages:
        task, number = ids[headers["id"]]
        assert headers["retries"] == number + 1
        wait = (datetime.datetime.fromisoformat(headers["eta"]) - started).total_seconds() if headers["eta"] else 0
        if task == "backoff.jitter":
            assert 0 <= wait <= WAITS[task](number) + took
            drawn.append(wait / WAITS[task](number) if number > 4 else 0.5)
        else:
            assert WAITS[task](number) <= wait <= WAITS[task](number) + took, (task, number)
    # Forty draws of [0, 1]: that all of them are in one half is as good as impossible.
    assert min(drawn) < 0.5 < max(drawn)


@pytest.mark.parametrize("kind", KINDS)
def test_last_retry(wire, tmp_path, kind):
    queue, replies = unique(kind), wire.declare()
    worker = OutcomeWorker(kind, [queue], tmp_path, arguments=["-Q", queue])
    try:
        worker.wait_until_ready(wire)
        task = wire.publish_task(queue, "backoff.plain", headers={"retries": RETRIES}, reply_to=replies)
        assert wire.result(replies, task)["status"] == "FAILURE"
    finally:
        worker.end()
        wire.delete(queue)


# ---- what a message keeps ----

LATER = (now() + datetime.timedelta(hours=5)).isoformat()
FOLLOWER = {"task": "follow.callback", "args": [2], "kwargs": {"a": 1}, "options": {"queue": "elsewhere", "priority": 3}, "subtask_type": None,
            "immutable": False}
STEP = FOLLOWER | {"task": "follow.step", "options": {"task_id": "step", "reply_to": "somewhere"}}

ORIGINALS = {
    "plain": dict(),
    "everything": dict(
        args=(1, "two", None), kwargs={"k": [1.5, {"x": None}]}, priority=7,
        embed=EMBED | {"callbacks": [FOLLOWER], "errbacks": [FOLLOWER | {"task": "follow.errback"}], "chain": [STEP]},
        headers={
            "shadow": "shown", "group": "a-group", "group_index": 3, "root_id": "a-root", "parent_id": "a-parent", "origin": "somebody@else",
            "retries": 2, "timelimit": [60, 30], "expires": LATER, "eta": "2020-01-01T00:00:00+00:00", "ignore_result": False,
            "replaced_task_nesting": 2, "stamped_headers": ["tenant"], "stamps": {"tenant": "blue"}, "tenant": "blue", "x-custom": {"deep": [1, 2]},
            "number": 2 ** 40, "none": None, "yes": True,
        }),
    "no parent": dict(headers={"root_id": None, "parent_id": None, "origin": None}),
    "without priority": dict(drop=["priority"]),
    "result not settled": dict(headers={"ignore_result": None}),
    "once dead-lettered": dict(headers={
        "x-death": [{"queue": "q", "reason": "expired", "count": 1, "exchange": "", "routing-keys": ["q"]}], "x-first-death-exchange": "",
        "x-first-death-queue": "q", "x-first-death-reason": "expired", "x-last-death-reason": "expired", "kept": "yes"}),
    "few headers": dict(drop=["lang", "argsrepr", "kwargsrepr", "origin", "group", "group_index", "shadow", "ignore_result", "replaced_task_nesting",
                              "stamped_headers", "stamps", "parent_id", "root_id", "timelimit", "expires", "eta", "retries"]),
    "positional and keyword arguments": dict(args=list(range(40)), kwargs={"text": "ą" * 3000}),
    "chord": dict(embed=EMBED | {"chord": FOLLOWER | {"task": "celery.chord_unlock"}}),
    "transient": dict(delivery_mode=1),
    "over an exchange": dict(),
}


@pytest.fixture(scope="module")
def retried(session_wire, tmp_path_factory):
    """The retried message of each original, by kind of worker."""
    found = {}
    for kind in KINDS:
        wire = harness.Wire()
        exchange = unique("retries")
        ids = {name: unique(name.replace(" ", "-")) for name in ORIGINALS}

        def send(queue, replies):
            wire.channel.exchange_declare(exchange, "topic", durable=True, auto_delete=False)
            wire.channel.queue_bind(queue, exchange, "some.#")
            # A Swift worker takes parts of chords only whose results go to a collector's queue. Nobody serves this one.
            parts = wire.declare(unique("swcelery.chord."))
            for name, original in ORIGINALS.items():
                where = (queue, {}) if name != "over an exchange" else ("some.key", {"exchange": exchange})
                reply_to = parts if name == "chord" else replies
                wire.publish_task(where[0], "retry.far", task_id=ids[name], reply_to=reply_to, **original, **where[1])
            return [parts]

        messages = run_until_retried(kind, wire, tmp_path_factory.mktemp(kind), send, len(ORIGINALS))
        wire.channel.exchange_delete(exchange)
        wire.close()
        found[kind] = {name: normalized(messages[ids[name]], ids[name], exchange) for name in ORIGINALS}
    return found


def normalized(message, task_id, exchange):
    """Headers, properties and body without what cannot be the same twice: ids, the time, names of queues."""
    headers, properties = dict(message.headers), dict(message.properties)
    assert headers.pop("eta")
    properties.pop("application_headers", None)
    if properties.get("expiration"):
        properties["expiration"] = 14_000_000 < int(properties["expiration"]) <= 18_000_000
    assert properties.pop("reply_to")
    properties.pop("cluster_id", None)
    info = {name: message.delivery_info[name] for name in ("exchange", "routing_key")}
    over = (info["exchange"] == exchange and info["routing_key"]) or "the queue itself"
    text = json.dumps([headers, properties, over, json.loads(text_of(message))], default=str)
    return json.loads(EMITTER.sub("gen@", text.replace(task_id, "the-id")))


@pytest.mark.skipif(len(KINDS) < 2, reason="compares two workers")
@pytest.mark.parametrize("name", ORIGINALS)
def test_message_keeps_what_celery_keeps(retried, name):
    python, swift = (retried[kind][name] for kind in KINDS)
    for what, theirs, ours in zip(("headers", "properties", "exchange", "body"), python, swift):
        assert ours == theirs, what
