"""Retries, progress, and what else a Swift task can end with, as Python sees it."""
import json
import time

import pytest

from harness import EMBED, TIMEOUT, States, client_app, text_of


def test_retries_and_then_succeeds(app, swift):
    states = States()
    start = time.monotonic()
    result = app.send_task("demo.retry", (3, 0.3), queue=swift.queue)
    assert result.get(timeout=TIMEOUT, on_message=states) == 3
    assert time.monotonic() - start >= 0.85
    assert [name for name in states.names if name != "STARTED"] == ["RETRY", "RETRY", "RETRY", "SUCCESS"]
    assert {message["task_id"] for message in states.messages} == {result.id}


def test_retry_as_a_message(app, wire, start_swift):
    """The same task goes out again with one retry more and a new eta; what came with it is kept."""
    worker = start_swift(concurrency=1)
    replies, follower = wire.declare(), {"task": "demo.mul", "args": [2], "kwargs": {}, "options": {}, "subtask_type": None, "immutable": False}
    task = wire.publish_task(
        worker.queue, "demo.retry", (1, 600), reply_to=replies, priority=4, embed=EMBED | {"callbacks": [follower]},
        headers={"tenant": "blue", "shadow": "shown", "group": "a-group", "group_index": 7, "root_id": "a-root", "parent_id": "a-parent",
                 "origin": "somebody@else", "ignore_result": False},
    )
    retry = wire.result(replies, task)
    assert (retry["status"], retry["date_done"]) == ("RETRY", None)
    worker.stop()
    message = wire.get(worker.queue)
    headers = message.headers
    assert headers["id"] == message.properties["correlation_id"] == task
    assert (headers["retries"], headers["tenant"], headers["shadow"], headers["group"], headers["group_index"]) == (1, "blue", "shown", "a-group", 7)
    assert (headers["root_id"], headers["parent_id"], headers["origin"]) == ("a-root", "a-parent", "somebody@else")
    assert headers["eta"] is not None
    assert (message.properties["reply_to"], message.properties["priority"]) == (replies, 4)
    args, _, embed = json.loads(text_of(message))
    assert args == [1, 600]
    assert embed["callbacks"][0]["task"] == "demo.mul" and embed["callbacks"][0]["args"] == [2]


def test_retry_of_a_swift_task_by_a_python_worker(app, start_swift, start_python):
    """A task that one language retries may be finished by the other."""
    swift = start_swift(concurrency=1)
    result = app.send_task("demo.retry", (1, 2), queue=swift.queue)
    swift.wait_for_log(rf"\[{result.id}\] retry")
    swift.stop()
    start_python(queues=swift.queues)
    assert result.get(timeout=TIMEOUT) == 1


def test_retry_of_a_python_task_by_a_swift_worker(app, start_swift, start_python):
    python = start_python(concurrency=1)
    result = app.send_task("demo.retry", (1, 2), queue=python.queue)
    python.wait_for_log(rf"\[{result.id}\] retry")
    python.stop()
    start_swift(queues=python.queues)
    assert result.get(timeout=TIMEOUT) == 1


def test_progress(app, swift):
    states = States()
    assert app.send_task("demo.progress", (5, 0.02), queue=swift.queue).get(timeout=TIMEOUT, on_message=states) == 5
    assert states.results("PROGRESS") == [{"current": current, "total": 5} for current in range(1, 6)]
    assert states.names[-1] == "SUCCESS"


def test_progress_by_polling(swift):
    result = client_app().send_task("demo.progress", (20, 0.1), queue=swift.queue)
    seen = set()
    deadline = time.monotonic() + TIMEOUT
    while not result.ready() and time.monotonic() < deadline:
        seen.add(result.state)
        time.sleep(0.1)
    assert result.state == "SUCCESS" and "PROGRESS" in seen


@pytest.mark.parametrize("message", ["", "plain", "ąę\n\U0001f407", 'quote " \\'], ids=ascii)
def test_failure_text(app, swift, message):
    with pytest.raises(ValueError) as caught:
        app.send_task("demo.fail", (message,), queue=swift.queue).get(timeout=TIMEOUT)
    assert caught.value.args == (message,)


def test_failure_message_as_celery_writes_it(wire, swift):
    replies = wire.declare()
    task = wire.publish_task(swift.queue, "demo.fail", ("oh",), reply_to=replies)
    result = wire.result(replies, task)
    assert list(result) == ["status", "result", "traceback", "children", "date_done", "task_id"]
    assert result["status"] == "FAILURE"
    assert result["result"] == {"exc_type": "ValueError", "exc_message": ["oh"], "exc_module": "builtins"}
    assert isinstance(result["traceback"], str)
