"""A worker with tasks of its own (examples/demo): arguments, context, limits, late acknowledgement, ways to end."""
import json
import signal
import subprocess
import time

import pytest
from celery.exceptions import Reject, SoftTimeLimitExceeded, TimeLimitExceeded

import harness
from harness import STAND_IN, TIMEOUT, States, eventually, text_of

pytestmark = pytest.mark.skipif(STAND_IN, reason="these tasks are Swift's alone")


def call(app, worker, name, *args, **options):
    return app.send_task(name, args, options.pop("kwargs", None), queue=worker.queue, **options)


def test_started_through_swcelery(app, example):
    assert call(app, example, "example.greet", "world").get(timeout=TIMEOUT) == "Hello, world!"
    assert example.command[0] == harness.SWCELERY


def test_default_and_keyword_arguments(app, example):
    assert call(app, example, "example.greet", "world", "Ahoj").get(timeout=TIMEOUT) == "Ahoj, world!"
    assert call(app, example, "example.greet", kwargs={"greeting": "Ahoj", "name": "world"}).get(timeout=TIMEOUT) == "Ahoj, world!"


def test_codable_arguments(app, example):
    assert call(app, example, "example.resize", kwargs={"url": "a.png"}).get(timeout=TIMEOUT) == "a.png@640"
    assert call(app, example, "example.resize", kwargs={"url": "a.png", "width": 80}).get(timeout=TIMEOUT) == "a.png@80"
    assert call(app, example, "example.resize", kwargs={"url": "a.png", "width": None}).get(timeout=TIMEOUT) == "a.png@640"
    for wrong in ({"width": 80}, {"url": 5}, {"url": "a.png", "height": 1}):
        with pytest.raises(TypeError):
            call(app, example, "example.resize", kwargs=wrong).get(timeout=TIMEOUT)


def test_request_as_the_task_sees_it(app, example):
    result = call(app, example, "example.request", 1, kwargs={"k": "v"}, headers={"tenant": "blue"}, priority=3)
    seen = result.get(timeout=TIMEOUT)
    assert seen == {"id": result.id, "name": "example.request", "root": result.id, "parent": None, "retries": 0, "tenant": "blue", "priority": 3,
                    "args": [1], "kwargs": {"k": "v"}}


def test_child_of_a_task(app, wire, example):
    collector = wire.declare()
    result = call(app, example, "example.spawn", collector, 41)
    child = result.get(timeout=TIMEOUT)
    message = wire.get(collector)
    assert json.loads(text_of(message))[0] == [41, 1]
    assert message.headers["id"] == child
    assert message.headers["parent_id"] == message.headers["root_id"] == result.id
    assert [each.id for each in result.children] == [child]


def test_exception_under_a_name_of_its_own(app, example):
    result = call(app, example, "example.custom_error")
    with pytest.raises(Exception) as caught:
        result.get(timeout=TIMEOUT)
    assert type(caught.value).__name__ == "QuotaExceeded"
    assert caught.value.args == ("disk", 3, {"free": 0})


def test_error_of_swift(app, example):
    with pytest.raises(Exception) as caught:
        call(app, example, "example.swift_error").get(timeout=TIMEOUT)
    assert type(caught.value).__name__ == "DiskFull"
    assert "/data" in str(caught.value)


def test_retries_run_out(app, example):
    states = States()
    with pytest.raises(Exception) as caught:
        call(app, example, "example.exhausted").get(timeout=TIMEOUT, on_message=states)
    assert type(caught.value).__name__ == "DiskFull"
    assert states.names == ["RETRY", "FAILURE"]


def test_reject(app, example):
    with pytest.raises(Reject, match="not mine"):
        call(app, example, "example.reject", "not mine").get(timeout=TIMEOUT)


def test_ignore_answers_nothing(app, wire, example):
    replies = wire.declare()
    wire.publish_task(example.queue, "example.ignore", reply_to=replies)
    good = wire.publish_task(example.queue, "example.greet", ("you",), reply_to=replies)
    assert wire.result(replies)["task_id"] == good
    time.sleep(0.3)
    assert wire.ready(replies) == 0


def test_time_limits(app, example):
    with pytest.raises(SoftTimeLimitExceeded):
        call(app, example, "example.soft_limit", 5.0).get(timeout=TIMEOUT)
    with pytest.raises(TimeLimitExceeded):
        call(app, example, "example.hard_limit", 5.0).get(timeout=TIMEOUT)
    assert call(app, example, "example.soft_limit", 0.0).get(timeout=TIMEOUT) == 0.0


def test_late_acknowledgement_survives_a_kill(app, wire, start_swift):
    first = start_swift(executable=harness.EXAMPLE_WORKER, concurrency=1)
    result = call(app, first, "example.late", 1.5)
    first.wait_for_log(rf"\[{result.id}\] received")
    time.sleep(0.5)
    first.send_signal(signal.SIGKILL)
    first.wait()
    eventually(lambda: wire.ready(first.queue) == 1, what="the task is back")
    second = start_swift(queues=first.queues, executable=harness.EXAMPLE_WORKER, concurrency=1)
    assert result.get(timeout=TIMEOUT) == 1.5
    assert second.stop() == 0
    assert wire.ready(first.queue) == 0


def test_late_acknowledgement_comes_after_the_result(app, wire, start_swift):
    worker = start_swift(executable=harness.EXAMPLE_WORKER, concurrency=1)
    results = [call(app, worker, "example.late", 0.5) for _ in range(3)]
    assert [result.get(timeout=TIMEOUT) for result in results] == [0.5] * 3
    assert worker.stop() == 0
    assert wire.ready(worker.queue) == 0


def test_own_executable_has_the_commands(example):
    done = subprocess.run([harness.EXAMPLE_WORKER, "call", "example.greet", "--args", '["you"]', "--queue", example.queue, "--wait",
                           "-b", harness.BROKER_URL], capture_output=True, text=True, timeout=TIMEOUT)
    assert done.returncode == 0 and done.stdout == '"Hello, you!"\n'
