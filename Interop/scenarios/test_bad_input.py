"""Messages that no client of ours would send. Each is answered or rejected, never acknowledged into nothing, and the next good task is answered."""
import contextlib
import json
import pickle
import uuid

import pytest

from harness import EMBED, TIMEOUT, control_broker, eventually, unique

pytestmark = pytest.mark.beyond_celery

GOOD_BODY = json.dumps([[2, 3], {}, EMBED])


def deep(levels):
    return f'[[{"[" * levels}{"]" * levels}], {{}}, {json.dumps(EMBED)}]'


# name: how the message differs from a good one, and whether the sender can be told (there is an id, and a reply queue)
DAMAGE = {
    "truncated JSON": (dict(body=GOOD_BODY[:-9]), True),
    "no JSON at all": (dict(body="hello"), True),
    "empty body": (dict(body=b""), True),
    "scalar body": (dict(body="5"), True),
    "null body": (dict(body="null"), True),
    "body is a map without args": (dict(body='{"x": 1}'), True),
    "body of two elements": (dict(body="[[2, 3], {}]"), True),
    "body of four elements": (dict(body=json.dumps([[2, 3], {}, EMBED, 1])), True),
    "arguments are a map": (dict(body=json.dumps([{"x": 1}, {}, EMBED])), True),
    "keywords are a list": (dict(body=json.dumps([[2, 3], [1], EMBED])), True),
    "embed is a number": (dict(body=json.dumps([[2, 3], {}, 7])), True),
    "chain is text": (dict(body=json.dumps([[2, 3], {}, EMBED | {"chain": "x"}])), True),
    "callback is no signature": (dict(body=json.dumps([[2, 3], {}, EMBED | {"callbacks": [17]}])), True),
    "200 levels": (dict(body=deep(200)), True),
    "100,000 levels": (dict(body=deep(100_000)), True),
    "invalid UTF-8": (dict(body=b'[["\xff\xfe", 3], {}, null]'), True),
    "lone surrogate": (dict(body=r'[["\ud800"], {}, null]'), True),
    "number that ends the mind": (dict(body="[[" + "9" * 2_000_000 + ", 1], {}, null]"), True),
    "unknown extended type": (dict(body='[[{"__type__": "os.system", "__value__": "id"}, 1], {}, null]'), True),
    "extended type with a wrong value": (dict(body='[[{"__type__": "datetime", "__value__": [1]}, 1], {}, null]'), True),
    "wrong content type": (dict(content_type="application/x-yaml"), True),
    "pickle": (dict(content_type="application/x-python-serialize", content_encoding="binary", body=pickle.dumps([(2, 3), {}, {}])), True),
    "invented content type": (dict(content_type="no/such-thing"), True),
    "no content type": (dict(drop=["content_type", "content_encoding"]), True),
    "unknown compression": (dict(headers={"compression": "application/x-nonsense"}), True),
    "compressed in name only": (dict(headers={"compression": "application/x-gzip"}), True),
    "no task header": (dict(drop=["task"]), False),
    "no id header": (dict(drop=["id"]), False),
    "neither": (dict(drop=["task", "id"]), False),
    "task is a number": (dict(headers={"task": 5}), False),
    "task is null": (dict(headers={"task": None}), False),
    "id is a map": (dict(headers={"id": {"a": 1}}), False),
    "id is empty": (dict(headers={"id": ""}), False),
    "retries is text": (dict(headers={"retries": "many"}), True),
    "retries is negative": (dict(headers={"retries": -4}), True),
    "eta is no time": (dict(headers={"eta": "tomorrow"}), True),
    "eta is a list": (dict(headers={"eta": [1]}), True),
    "eta beyond all calendars": (dict(headers={"eta": "99999-01-01T00:00:00"}), True),
    "expires is no time": (dict(headers={"expires": "x"}), True),
    "timelimit is a number": (dict(headers={"timelimit": 5}), True),
    "timelimit of three": (dict(headers={"timelimit": [1, 2, 3]}), True),
    "group_index is text": (dict(headers={"group_index": "first"}), True),
    "ignore_result is text": (dict(headers={"ignore_result": "perhaps"}), True),
    "stamps is a list": (dict(headers={"stamps": [1], "stamped_headers": "x"}), True),
    "unknown task": (dict(task="demo.absent"), True),
    "task name of 10,000 letters": (dict(task="x" * 10_000), True),
    "task name with control characters": (dict(task="demo.\x1b[31m\nadd"), True),
}

# Harmless in spite of their looks: whether these run or fail is the worker's choice, but the sender hears of it.
EITHER = {"id is empty", "retries is negative", "timelimit is a number", "timelimit of three", "group_index is text", "ignore_result is text", "stamps is a list",
          "eta beyond all calendars", "lone surrogate", "number that ends the mind", "embed is a number", "no content type", "callback is no signature",
          "chain is text"}


def publish(wire, queue, replies, task="demo.add", **damage):
    return wire.publish_task(queue, task, (2, 3), reply_to=replies, **damage)


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_message(wire, swift, name):
    damage, told = DAMAGE[name]
    replies = wire.declare()
    bad = publish(wire, swift.queue, replies, **damage)
    good = publish(wire, swift.queue, replies)
    results = {}
    while good not in results or (told and bad not in results):
        result = wire.result(replies)
        results[result["task_id"]] = result
    assert results[good]["status"] == "SUCCESS" and results[good]["result"] == 5
    if told and name not in EITHER:
        assert results[bad]["status"] == "FAILURE", results[bad]
        assert results[bad]["result"]["exc_type"]
    assert swift.process.poll() is None


def test_body_of_sixteen_mebibytes(wire, swift):
    replies = wire.declare()
    size = 16 * 1024 * 1024
    frame = '[["%s"], {}, null]'
    whole = frame % ("x" * (size - len(frame) + 2))
    tasks = [
        publish(wire, swift.queue, replies, task="demo.xsum", body=whole),
        publish(wire, swift.queue, replies, body=b"\x00" * size),
        publish(wire, swift.queue, replies, body=b"[" * size),
    ]
    good = publish(wire, swift.queue, replies)
    results = {result["task_id"]: result for result in (wire.result(replies, timeout=60) for _ in range(4))}
    assert results[good]["result"] == 5
    assert all(results[task]["status"] == "FAILURE" for task in tasks)


def test_every_damage_at_once_and_the_worker_still_serves(wire, start_swift):
    """As the very first deliveries of a worker, and all of them together."""
    worker = start_swift(concurrency=4)
    replies = wire.declare()
    for damage, _ in DAMAGE.values():
        publish(wire, worker.queue, replies, **damage)
    good = publish(wire, worker.queue, replies)
    assert wire.result(replies, good)["result"] == 5
    eventually(lambda: wire.ready(worker.queue) == 0, what="an empty queue")
    assert worker.stop() == 0
    assert wire.ready(worker.queue) == 0, "a bad message went back to the queue"


def test_protocol_one_garbage(wire, swift):
    replies = wire.declare()
    for body in ('{"task": "demo.add"}', '{"task": "demo.add", "id": 5, "args": 7}', '{"task": 5, "id": "x"}', '{"id": "x"}', "[]", "", "{",
                 '{"task": "demo.add", "id": "x", "args": [1, 2], "kwargs": [3]}', '{"task": "demo.add", "id": "x", "eta": "then", "args": [1, 2]}'):
        wire.publish(swift.queue, body, content_type="application/json", content_encoding="utf-8", reply_to=replies)
    good = publish(wire, swift.queue, replies)
    assert wire.result(replies, good)["result"] == 5


def test_bare_minimum_is_enough(wire, swift):
    """Headers task and id, a triple, a content type: Celery takes it, so do we."""
    task = str(uuid.uuid4())
    wire.publish(swift.queue, GOOD_BODY, {"task": "demo.add", "id": task}, content_type="application/json")
    swift.wait_for_log(rf"\[{task}\] succeeded in [\d.e-]+s: 5")


@pytest.mark.private_broker
def test_dead_letter_exchange_keeps_what_is_rejected(wire, start_swift):
    exchange, queue = unique("dead-letters"), unique("watched")
    wire.channel.exchange_declare(exchange, "fanout", durable=True, auto_delete=False)
    dead = wire.declare()
    wire.channel.queue_bind(dead, exchange)
    control_broker("set_policy", queue, f"^{queue}$", json.dumps({"dead-letter-exchange": exchange}), "--apply-to", "queues")
    try:
        worker = start_swift(queues=[queue])
        replies = wire.declare()
        rejected = {name: damage for name, (damage, _) in DAMAGE.items() if name not in EITHER}
        for name, damage in rejected.items():
            headers = dict(damage.get("headers", {}), **{"x-scenario": name})
            publish(wire, queue, replies, **(damage | {"headers": headers}))
        good = publish(wire, queue, replies)
        assert wire.result(replies, good)["result"] == 5
        kept = set()
        with contextlib.suppress(AssertionError):
            while len(kept) < len(rejected):
                kept.add(wire.get(dead, 3).headers["x-scenario"])
        assert kept == set(rejected)
        assert worker.process.poll() is None
    finally:
        control_broker("clear_policy", queue)
        wire.channel.exchange_delete(exchange)
