"""Swift calls, Python answers: `swcelery call` against Python's worker, and its messages beside those of a Python client."""
import datetime
import json
import subprocess
import time
import urllib.parse

import amqp
import pytest
from kombu.utils import json as kombu_json

from harness import BROKER_URL, SWCELERY, TIMEOUT, eventually, text_of, unique
from test_calls import VALUES

pytestmark = pytest.mark.beyond_celery


def swcelery(*arguments, broker=BROKER_URL, timeout=TIMEOUT):
    return subprocess.run([SWCELERY, *arguments, "-b", broker], capture_output=True, text=True, timeout=timeout)


def call(worker, name, *arguments):
    """The value that the call's result has."""
    done = swcelery("call", name, "--queue", worker.queue, "--wait", "--timeout", str(TIMEOUT), *arguments)
    assert done.returncode == 0, done.stderr
    return kombu_json.loads(done.stdout)


def test_answered_by_python(python):
    assert call(python, "demo.add", "--args", "[2, 3]") == 5


def test_keywords(python):
    assert call(python, "demo.add", "--args", "[2]", "--kwargs", '{"y": 3}') == 5


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
def test_values_come_back_as_they_were(python, value):
    text = kombu_json.dumps([value])
    assert call(python, "demo.echo", "--args", text, "--kwargs", kombu_json.dumps({"word": value})) == {"args": [value], "kwargs": {"word": value}}


def test_without_wait_the_id_is_printed(python):
    done = swcelery("call", "demo.add", "--args", "[20, 3]", "--queue", python.queue)
    assert done.returncode == 0, done.stderr
    python.wait_for_log(rf"\[{done.stdout.strip()}\] succeeded in [\d.e-]+s: 23")


def test_failure(python):
    done = swcelery("call", "demo.fail", "--args", '["no such luck"]', "--queue", python.queue, "--wait")
    assert done.returncode == 1 and done.stdout == ""
    assert "ValueError" in done.stderr and "no such luck" in done.stderr and "Traceback" in done.stderr


def test_unknown_task(python):
    done = swcelery("call", "demo.absent", "--queue", python.queue, "--wait")
    assert done.returncode == 1 and "NotRegistered" in done.stderr


def test_retried_by_python(python):
    assert call(python, "demo.retry", "--args", "[2, 0.1]") == 2


def test_progress_is_not_taken_for_the_result(python):
    assert call(python, "demo.progress", "--args", "[3, 0.05]") == 3


def test_timeout(python):
    start = time.monotonic()
    done = swcelery("call", "demo.sleep", "--args", "[4]", "--queue", python.queue, "--wait", "--timeout", "0.5")
    assert done.returncode != 0 and done.stderr
    assert time.monotonic() - start < 3


def test_countdown(python):
    start = time.monotonic()
    assert call(python, "demo.add", "--args", "[2, 3]", "--countdown", "1.5") == 5
    assert time.monotonic() - start >= 1.4


def test_expired(python):
    done = swcelery("call", "demo.add", "--args", "[2, 3]", "--queue", python.queue, "--wait", "--countdown", "2", "--expires", "1")
    assert done.returncode == 1 and "expired" in done.stderr


def test_answered_by_swift(swift):
    assert call(swift, "demo.mul", "--args", "[6, 7]") == 42


def kinds(value):
    """The shape of a header table: names in their order, and types."""
    if isinstance(value, dict):
        return [(name, kinds(each)) for name, each in value.items()]
    if isinstance(value, list):
        return [kinds(each) for each in value]
    return type(value)


@pytest.mark.parametrize("flags, options", [
    ([], {}),
    (["--countdown", "600"], {"countdown": 600}),
    (["--expires", "900"], {"expires": 900}),
    (["--priority", "5"], {"priority": 5}),
    (["--eta", "2036-01-02T03:04:05+02:00"], {"eta": "2036-01-02T03:04:05+02:00"}),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_message_as_a_python_client_sends_it(app, wire, flags, options):
    queue = wire.declare()
    if "eta" in options:
        options = {"eta": datetime.datetime.fromisoformat(options["eta"])}
    app.send_task("demo.add", (2, "ó"), {"k": [1.5, None]}, queue=queue, ignore_result=True, **options)
    theirs = wire.get(queue)
    done = swcelery("call", "demo.add", "--args", '[2, "ó"]', "--kwargs", '{"k": [1.5, null]}', "--queue", queue, *flags)
    assert done.returncode == 0, done.stderr
    ours = wire.get(queue)
    assert text_of(ours) == text_of(theirs)
    assert kinds(ours.headers) == kinds(theirs.headers)
    for name in ("task", "shadow", "group", "group_index", "retries", "timelimit", "parent_id", "argsrepr", "kwargsrepr", "stamps"):
        assert ours.headers[name] == theirs.headers[name], name
    assert ours.headers["id"] == ours.headers["root_id"] == ours.properties["correlation_id"] == done.stdout.strip()
    same = {"content_type", "content_encoding", "delivery_mode", "priority"}
    assert {name: ours.properties.get(name) for name in same} == {name: theirs.properties.get(name) for name in same}
    if "expires" in options:
        assert abs(int(ours.properties["expiration"]) - int(theirs.properties["expiration"])) < 5000


def test_missing_queue_is_created_as_celery_does(app, wire):
    name = unique("missing")
    wire.created.append(name)
    assert swcelery("call", "demo.add", "--args", "[1, 2]", "--queue", name).returncode == 0
    eventually(lambda: wire.ready(name) == 1)
    # Celery's own declaration of the same name agrees with ours, or the channel would be closed with 406.
    app.send_task("demo.add", (1, 2), queue=name, ignore_result=True)
    eventually(lambda: wire.ready(name) == 2)
    # And it is bound to the exchange of its name.
    wire.channel.basic_publish(amqp.Message("x"), exchange=name, routing_key=name)
    eventually(lambda: wire.ready(name) == 3)


@pytest.mark.parametrize("flags", [["--args", "[1"], ["--args", '{"x": 1}'], ["--kwargs", "[1]"], ["--args", "[" * 200 + "]" * 200], ["--nonsense"]],
                         ids=lambda flags: flags[-1][:12])
def test_wrong_usage(flags):
    done = swcelery("call", "demo.add", *flags)
    assert done.returncode != 0 and done.stderr and done.stdout == ""


def test_unreachable_broker_hides_the_password():
    done = swcelery("call", "demo.add", "--args", "[1, 2]", broker="amqp://user:open-sesame@127.0.0.1:9//", timeout=90)
    assert done.returncode != 0 and done.stderr
    assert "open-sesame" not in done.stdout + done.stderr


def test_wrong_password_is_told_and_hidden():
    parts = urllib.parse.urlsplit(BROKER_URL)
    broker = parts._replace(netloc=f"{parts.username}:open-sesame@{parts.hostname}:{parts.port}").geturl()
    done = swcelery("call", "demo.add", "--args", "[1, 2]", broker=broker, timeout=90)
    assert done.returncode != 0 and done.stderr
    assert "open-sesame" not in done.stdout + done.stderr


def test_several_brokers_are_tried_in_turn(python):
    broker = f"amqp://guest:guest@127.0.0.1:9//;{BROKER_URL}"
    done = swcelery("call", "demo.add", "--args", "[2, 3]", "--queue", python.queue, "--wait", broker=broker, timeout=60)
    assert done.returncode == 0 and json.loads(done.stdout) == 5


def test_version():
    done = subprocess.run([SWCELERY, "--version"], capture_output=True, text=True, timeout=TIMEOUT)
    assert done.returncode == 0 and "swcelery" in done.stdout
