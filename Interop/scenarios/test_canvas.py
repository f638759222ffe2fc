"""Chains, callbacks and errbacks across the two languages."""
import json
import uuid

import pytest
from celery import chain

from harness import EMBED, TIMEOUT, text_of


def step(app, worker, name, *args, **options):
    return app.signature(name, args, queue=worker.queue, **options)


@pytest.mark.parametrize("order", ["swift python swift", "python swift python", "swift swift python python", "python python swift swift"])
def test_chain_over_both(app, request, order):
    workers = [request.getfixturevalue(name) for name in order.split()]
    steps = [step(app, workers[0], "demo.add", 2, 3)] + [step(app, worker, "demo.mul", 10) for worker in workers[1:]]
    result = chain(*steps, app=app).apply_async()
    assert result.get(timeout=TIMEOUT) == 5 * 10 ** (len(workers) - 1)
    parents = [parent.get(timeout=TIMEOUT) for parent in ancestors(result)]
    assert parents == [5 * 10**power for power in reversed(range(len(workers) - 1))]


def ancestors(result):
    while result.parent is not None:
        result = result.parent
        yield result


def test_immutable_step_takes_nothing_from_the_left(app, swift, python):
    steps = [step(app, python, "demo.add", 2, 3), app.signature("demo.mul", (6, 7), queue=swift.queue, immutable=True)]
    assert chain(*steps, app=app).apply_async().get(timeout=TIMEOUT) == 42


def test_chain_in_a_chain(app, swift, python):
    inner = chain(step(app, swift, "demo.mul", 10), step(app, python, "demo.add", 1), app=app)
    whole = chain(step(app, python, "demo.add", 2, 3), inner, step(app, swift, "demo.mul", 2), app=app)
    assert whole.apply_async().get(timeout=TIMEOUT) == 102


def test_step_options_reach_the_broker(app, wire, swift):
    collector = wire.declare()
    last = app.signature("demo.mul", (10,), queue=collector, priority=3, headers={"tenant": "blue"}, shadow="shown", expires=600)
    result = chain(step(app, swift, "demo.add", 2, 3), last, app=app).apply_async()
    message = wire.get(collector)
    assert json.loads(text_of(message)) == [[5, 10], {}, EMBED | {"chain": []}] or json.loads(text_of(message)) == [[5, 10], {}, EMBED]
    assert message.headers["task"] == "demo.mul"
    assert message.headers["id"] == message.properties["correlation_id"] == result.id
    assert message.headers["root_id"] == message.headers["parent_id"] == result.parent.id
    assert message.headers["tenant"] == "blue" and message.headers["shadow"] == "shown"
    assert message.headers["expires"] and 0 < int(message.properties["expiration"]) <= 600_000
    assert message.properties["priority"] == 3
    assert message.properties["reply_to"] == app.backend.oid


def test_failure_in_the_middle_fails_the_rest(app, swift, python):
    for failing, following in ((swift, python), (python, swift)):
        steps = [
            step(app, following, "demo.add", 1, 1),
            app.signature("demo.fail", ("broken link",), queue=failing.queue, immutable=True),
            step(app, following, "demo.mul", 10),
            step(app, following, "demo.mul", 10),
        ]
        result = chain(*steps, app=app).apply_async()
        with pytest.raises(ValueError, match="broken link"):
            result.get(timeout=TIMEOUT)


def test_chain_member_that_retries(app, swift, python):
    steps = [step(app, python, "demo.add", 1, 1), app.signature("demo.retry", (2, 0.1), queue=swift.queue, immutable=True), step(app, python, "demo.mul", 10)]
    assert chain(*steps, app=app).apply_async().get(timeout=TIMEOUT) == 20


def test_link_runs_with_the_result(app, wire, swift):
    collector, replies = wire.declare(), wire.declare()
    follower = app.signature("demo.mul", (10,), queue=collector, task_id=str(uuid.uuid4()), reply_to=replies)
    result = app.send_task("demo.add", (2, 3), queue=swift.queue, link=[follower])
    assert result.get(timeout=TIMEOUT) == 5
    message = wire.get(collector)
    assert json.loads(text_of(message))[0] == [5, 10]
    assert message.headers["id"] == follower.options["task_id"]
    assert message.headers["parent_id"] == message.headers["root_id"] == result.id
    assert message.properties["reply_to"] == replies
    assert [child.id for child in result.children] == [follower.options["task_id"]]


def test_link_to_the_other_language(app, swift, python):
    for first, second in ((swift, python), (python, swift)):
        follower = step(app, second, "demo.mul", 1000).set(task_id=str(uuid.uuid4()))
        assert app.send_task("demo.add", (2, 3), queue=first.queue, link=[follower]).get(timeout=TIMEOUT) == 5
        second.wait_for_log(rf"\[{follower.options['task_id']}\] succeeded in [\d.e-]+s: 5000")


def test_several_links_become_a_group(app, wire, swift):
    collector = wire.declare()
    followers = [app.signature("demo.mul", (factor,), queue=collector) for factor in (10, 100)]
    assert app.send_task("demo.add", (2, 3), queue=swift.queue, link=followers).get(timeout=TIMEOUT) == 5
    messages = [wire.get(collector) for _ in followers]
    assert [json.loads(text_of(message))[0] for message in messages] == [[5, 10], [5, 100]]
    assert [message.headers["group_index"] for message in messages] == [0, 1]
    assert messages[0].headers["group"] == messages[1].headers["group"] is not None


def test_immutable_link(app, wire, swift):
    collector = wire.declare()
    follower = app.signature("demo.mul", (1, 2), queue=collector, immutable=True)
    app.send_task("demo.add", (2, 3), queue=swift.queue, link=[follower])
    assert json.loads(text_of(wire.get(collector)))[0] == [1, 2]


def test_link_error_gets_the_id(app, wire, swift):
    collector = wire.declare()
    errback = app.signature("project.on_error", (), queue=collector)
    result = app.send_task("demo.fail", ("oh",), queue=swift.queue, link_error=[errback])
    with pytest.raises(ValueError, match="oh"):
        result.get(timeout=TIMEOUT)
    message = wire.get(collector)
    assert json.loads(text_of(message))[0] == [result.id]
    assert message.headers["parent_id"] == message.headers["root_id"] == result.id


def test_link_error_of_a_chain_step(app, wire, swift, python):
    collector = wire.declare()
    whole = chain(step(app, python, "demo.add", 1, 1), app.signature("demo.fail", ("x",), queue=swift.queue, immutable=True), app=app)
    result = whole.apply_async(link_error=[app.signature("project.on_error", queue=collector)])
    with pytest.raises(ValueError, match="x"):
        result.get(timeout=TIMEOUT)
    assert json.loads(text_of(wire.get(collector)))[0] == [result.id]


def test_neither_link_nor_errback_on_the_other_outcome(app, wire, swift):
    collector = wire.declare()
    other = app.signature("project.other", queue=collector)
    app.send_task("demo.add", (2, 3), queue=swift.queue, link_error=[other]).get(timeout=TIMEOUT)
    with pytest.raises(ValueError):
        app.send_task("demo.fail", queue=swift.queue, link=[other]).get(timeout=TIMEOUT)
    assert wire.ready(collector) == 0


def test_unknown_options_of_a_signature_are_passed_on(app, wire, swift):
    """What a newer Celery may put into a signature survives the passage through a Swift worker."""
    collector = wire.declare()
    following = {"task": "demo.mul", "args": [10], "kwargs": {}, "options": {"queue": swift.queue, "task_id": str(uuid.uuid4())},
                 "subtask_type": None, "immutable": False}
    last = {"task": "demo.last", "args": [], "kwargs": {"n": 2**70}, "options": {"queue": collector, "task_id": str(uuid.uuid4())},
            "subtask_type": None, "immutable": False}
    wire.publish_task(swift.queue, "demo.add", (2, 3), embed=EMBED | {"chain": [last, following]})
    message = wire.get(collector)
    args, kwargs, _ = json.loads(text_of(message))
    assert (args, kwargs) == ([50], {"n": 2**70})
    assert message.headers["id"] == last["options"]["task_id"]
