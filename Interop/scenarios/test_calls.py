"""Python calls, Swift answers: arguments, values, and every option of apply_async."""
import datetime
import decimal
import math
import time
import uuid

import pytest
from celery.exceptions import NotRegistered, TaskRevokedError

from harness import STAND_IN, TIMEOUT, client_app, text_of, unique

VALUES = {
    "null": None,
    "booleans": [True, False],
    "integers": [0, -1, 2**31, -(2**63), 2**63 - 1],
    "big integers": [2**63, -(2**64), 10**40],
    "floats": [1.0, -0.5, 1e16, 1e-07, 1.7976931348623157e308],
    "integer and float stay different": [1, 1.0],
    "text": ["", "plain", "Zażółć gęślą jaźń", "日本語", "\U0001f407", "\x00\x1f\x7f", 'quote " and \\ back'],
    "nested": {"a": [{"b": [[], {}, None]}], "": "empty key", "ключ": 1},
    "key order": {"z": 1, "a": 2, "m": 3},
    "extended": [
        datetime.datetime(2026, 1, 2, 3, 4, 5, 678901),
        datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc),
        datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone(datetime.timedelta(hours=5, minutes=30))),
        datetime.date(2026, 1, 2),
        datetime.time(3, 4, 5, 600),
        decimal.Decimal("3.140000000000000000001"),
        uuid.UUID("12345678-1234-5678-1234-567812345678"),
        b"text bytes",
        b"\xff\x00binary",
    ],
}


def call(app, worker, name, args=(), kwargs=None, **options):
    return app.send_task(name, args, kwargs, queue=worker.queue, **options)


def test_positional_arguments(app, swift):
    assert call(app, swift, "demo.add", (2, 3)).get(timeout=TIMEOUT) == 5


def test_keyword_arguments(app, swift):
    assert call(app, swift, "demo.add", (), {"x": 2, "y": 3}).get(timeout=TIMEOUT) == 5


def test_positional_and_keyword_arguments(app, swift):
    assert call(app, swift, "demo.add", (2,), {"y": 3}).get(timeout=TIMEOUT) == 5


def test_list_argument(app, swift):
    assert call(app, swift, "demo.xsum", ([1, 2, 3],)).get(timeout=TIMEOUT) == 6


def test_one_worker_serves_both_queues(app, swift):
    results = [app.send_task("demo.mul", (6, 7), queue=queue) for queue in swift.queues]
    assert [result.get(timeout=TIMEOUT) for result in results] == [42, 42]


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
def test_values_come_back_as_they_were(app, swift, value):
    echoed = call(app, swift, "demo.echo", (value,), {"word": value}).get(timeout=TIMEOUT)
    assert echoed == {"args": [value], "kwargs": {"word": value}}
    assert repr(echoed["args"][0]) == repr(value)


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan], ids=str)
def test_floats_that_json_does_not_have(app, swift, value):
    (echoed,) = call(app, swift, "demo.echo", (value,)).get(timeout=TIMEOUT)["args"]
    assert isinstance(echoed, float) and repr(echoed) == repr(value)


def test_large_argument(app, swift):
    text = "x" * 1_000_000
    assert call(app, swift, "demo.echo", (text,)).get(timeout=TIMEOUT)["args"] == [text]


def test_countdown(app, swift):
    start = time.monotonic()
    assert call(app, swift, "demo.add", (1, 1), countdown=1.5).get(timeout=TIMEOUT) == 2
    assert 1.4 <= time.monotonic() - start < 10


def test_eta_with_and_without_offset(app, swift):
    start = time.monotonic()
    due = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=1.5)
    elsewhere = due.astimezone(datetime.timezone(datetime.timedelta(hours=-7)))
    results = [call(app, swift, "demo.add", (1, 1), eta=eta) for eta in (due, elsewhere)]
    assert [result.get(timeout=TIMEOUT) for result in results] == [2, 2]
    assert 1.4 <= time.monotonic() - start < 10


def test_eta_in_the_past_runs_at_once(app, swift):
    past = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)
    assert call(app, swift, "demo.add", (1, 1), eta=past).get(timeout=TIMEOUT) == 2


def test_waiting_tasks_do_not_hold_up_the_others(app, start_swift):
    worker = start_swift(concurrency=1, arguments=["--prefetch-multiplier", "1"])
    waiting = [call(app, worker, "demo.add", (1, number), countdown=4) for number in range(20)]
    start = time.monotonic()
    assert call(app, worker, "demo.add", (2, 3)).get(timeout=TIMEOUT) == 5
    assert time.monotonic() - start < (TIMEOUT if STAND_IN else 3)
    assert [result.get(timeout=2 * TIMEOUT) for result in waiting] == [1 + number for number in range(20)]


def test_expired_task_is_revoked(app, start_swift):
    worker = start_swift(concurrency=1)
    blocker = call(app, worker, "demo.sleep", (2.5,))
    worker.wait_for_log("received")
    late = call(app, worker, "demo.add", (1, 1), expires=1, countdown=2)
    with pytest.raises(TaskRevokedError, match="expired"):
        late.get(timeout=TIMEOUT)
    assert blocker.get(timeout=TIMEOUT) == 2.5
    assert call(app, worker, "demo.add", (1, 2), expires=60).get(timeout=TIMEOUT) == 3


def test_expiry_as_a_time_in_the_past(wire, swift):
    replies = wire.declare()
    task = wire.publish_task(swift.queue, "demo.add", (1, 1), reply_to=replies, headers={"expires": "2020-01-01T00:00:00+00:00"})
    result = wire.result(replies)
    assert (result["task_id"], result["status"]) == (task, "REVOKED")
    assert result["result"] == {"exc_type": "TaskRevokedError", "exc_message": ["expired"], "exc_module": "celery.exceptions"}


def test_priority_and_custom_headers_are_accepted(app, swift):
    result = call(app, swift, "demo.add", (1, 2), priority=7, headers={"tenant": "blue", "depth": {"of": [1, None, True]}})
    assert result.get(timeout=TIMEOUT) == 3


def test_shadow_is_the_name_in_the_log(app, swift):
    name = unique("demo.shadow")
    result = call(app, swift, "demo.add", (1, 2), shadow=name)
    assert result.get(timeout=TIMEOUT) == 3
    swift.wait_for_log(rf"{name}\[{result.id}\] received")


def test_ignored_result_is_not_sent(wire, swift):
    replies = wire.declare()
    wire.publish_task(swift.queue, "demo.add", (1, 1), reply_to=replies, headers={"ignore_result": True})
    kept = wire.publish_task(swift.queue, "demo.add", (1, 2), reply_to=replies)
    assert wire.result(replies)["task_id"] == kept
    time.sleep(0.3)
    assert wire.ready(replies) == 0


def test_no_reply_queue_is_no_trouble(wire, swift, app):
    task = wire.publish_task(swift.queue, "demo.add", (1, 1))
    swift.wait_for_log(rf"\[{task}\] succeeded in [\d.e-]+s: 2")
    gone = wire.publish_task(swift.queue, "demo.add", (2, 2), reply_to=unique("nobody"))
    swift.wait_for_log(rf"\[{gone}\] succeeded")
    assert call(app, swift, "demo.add", (2, 3)).get(timeout=TIMEOUT) == 5


def test_result_message_as_celery_writes_it(wire, swift):
    replies = wire.declare()
    task = wire.publish_task(swift.queue, "demo.add", (2, 3), reply_to=replies)
    message = wire.get(replies)
    properties = {key: value for key, value in message.properties.items() if key != "application_headers"}
    assert properties == {
        "content_type": "application/json", "content_encoding": "utf-8", "delivery_mode": 1, "priority": 0, "correlation_id": task,
    }
    assert message.headers == {}
    text = text_of(message)
    start, _, rest = text.partition('"date_done": "')
    date, _, end = rest.partition('"')
    assert start == '{"status": "SUCCESS", "result": 5, "traceback": null, "children": [], '
    assert end == f', "task_id": "{task}"}}'
    assert datetime.datetime.fromisoformat(date).utcoffset() == datetime.timedelta(0)


def test_correlation_id_other_than_the_task_id(wire, swift):
    replies = wire.declare()
    task = wire.publish_task(swift.queue, "demo.add", (2, 3), reply_to=replies, correlation_id="another")
    message = wire.get(replies)
    assert message.properties["correlation_id"] == "another"
    assert f'"task_id": "{task}"' in text_of(message)


def test_wrong_arguments_are_a_type_error(app, swift):
    for args, kwargs in (((1,), {}), ((1, 2, 3), {}), ((1,), {"z": 2}), ((), {"x": 1})):
        with pytest.raises(TypeError):
            call(app, swift, "demo.add", args, kwargs).get(timeout=TIMEOUT)
    assert call(app, swift, "demo.add", (2, 3)).get(timeout=TIMEOUT) == 5


def test_unknown_task(app, swift):
    with pytest.raises(NotRegistered, match="demo.absent"):
        call(app, swift, "demo.absent").get(timeout=TIMEOUT)
    assert call(app, swift, "demo.add", (2, 3)).get(timeout=TIMEOUT) == 5


def test_exception_has_type_message_and_traceback(app, swift):
    result = call(app, swift, "demo.fail", ("no such luck – ąę",))
    with pytest.raises(ValueError, match="no such luck – ąę"):
        result.get(timeout=TIMEOUT)
    assert result.state == "FAILURE" and "ValueError" in result.traceback


def test_routes_of_the_python_client(swift):
    app = client_app(task_routes={"demo.*": {"queue": swift.queue}})
    assert app.send_task("demo.mul", (6, 7)).get(timeout=TIMEOUT) == 42


def test_named_exchange_and_routing_key(wire, app, swift):
    exchange = unique("exchange")
    wire.channel.exchange_declare(exchange, "topic", durable=True, auto_delete=False)
    wire.channel.queue_bind(swift.queue, exchange, "news.#")
    try:
        result = app.send_task("demo.add", (2, 3), exchange=exchange, routing_key="news.sport", declare=[])
        assert result.get(timeout=TIMEOUT) == 5
    finally:
        wire.channel.exchange_delete(exchange)


def test_burst(app, swift):
    results = [call(app, swift, "demo.add", (number, number)) for number in range(500)]
    assert [result.get(timeout=3 * TIMEOUT) for result in results] == [2 * number for number in range(500)]


def test_many_clients_at_once(swift):
    apps = [client_app() for _ in range(5)]
    results = [(number, apps[number % 5].send_task("demo.mul", (number, 2), queue=swift.queue)) for number in range(50)]
    assert all(result.get(timeout=TIMEOUT) == 2 * number for number, result in results)


@pytest.fixture(scope="module")
def old_app():
    return client_app(task_protocol=1)


class TestProtocolOne:
    def test_call(self, old_app, swift):
        assert call(old_app, swift, "demo.add", (2,), {"y": 3}).get(timeout=TIMEOUT) == 5

    def test_countdown_and_failure(self, old_app, swift):
        start = time.monotonic()
        assert call(old_app, swift, "demo.add", (2, 3), countdown=1).get(timeout=TIMEOUT) == 5
        assert time.monotonic() - start > 0.9
        with pytest.raises(ValueError, match="old"):
            call(old_app, swift, "demo.fail", ("old",)).get(timeout=TIMEOUT)

    def test_chain_nested_in_callbacks(self, old_app, swift, python):
        steps = [
            old_app.signature("demo.add", (2, 3), queue=swift.queue),
            old_app.signature("demo.mul", (10,), queue=python.queue),
            old_app.signature("demo.add", (1,), queue=swift.queue),
        ]
        steps[1].link(steps[2])
        steps[0].link(steps[1])
        result = steps[0].apply_async()
        assert result.get(timeout=TIMEOUT) == 5
        python.wait_for_log(r"demo\.mul\[\S+\] succeeded in [\d.e-]+s: 50")
        swift.wait_for_log(r"demo\.add\[\S+\] succeeded in [\d.e-]+s: 51")

    def test_unknown_task(self, wire, swift):
        replies = wire.declare()
        task = str(uuid.uuid4())
        body = f'{{"task": "demo.absent", "id": "{task}", "args": [], "kwargs": {{}}}}'
        wire.publish(swift.queue, body, content_type="application/json", content_encoding="utf-8", correlation_id=task, reply_to=replies)
        assert wire.result(replies)["result"]["exc_type"] == "NotRegistered"


def test_hybrid_message(wire, swift):
    """Headers of protocol 2 over a body of protocol 1."""
    replies = wire.declare()
    task = wire.publish_task(swift.queue, "demo.add", reply_to=replies, body='{"args": [2, 3], "kwargs": {}, "task": "ignored", "id": "ignored"}')
    assert wire.result(replies, task)["result"] == 5
