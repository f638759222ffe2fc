"""Tasks that are replaced by others, and tasks that send others."""
from celery import chain

from workflows import Difference, Part, workflow

JOINED = "a member that runs in Python cannot add a task to its chord over AMQP"
TEXT = "a chord that has been sent takes no further task over AMQP: let the task replace itself with a group, which counts for the chord"


def refused(text, error):
    """The nodes of a chord whose second member has failed."""
    whole = f"ChordError{(f'Dependency result.parent[1] raised {text}',)!r}"
    return {"result": {"state": "FAILURE", "error": whole}, "result.parent[1]": {"state": "FAILURE", "error": error}}


@workflow(5)
def replaced_by_a_task(f):
    """A task is replaced by a task"""
    return f.become(other=f.add(2, 3)).apply_async()


@workflow(20)
def replaced_by_a_chain(f):
    """A task is replaced by a chain"""
    return f.become(other=chain(f.add(2, 3), f.mul(4))).apply_async()


@workflow([5, 6])
def replaced_by_a_group(f):
    """A task is replaced by a group"""
    return f.become(other=f.group(f.add(2, 3), f.add(2, 4))).apply_async()


@workflow(11)
def replaced_by_a_chord(f):
    """A task is replaced by a chord"""
    return f.become(other=f.chord([f.add(2, 3), f.add(2, 4)], f.total())).apply_async()


@workflow(105)
def replaced_twice(f):
    """A replacement is replaced"""
    return f.become(other=f.become(other=f.add(100, 5))).apply_async()


@workflow(60, calls=1)
def step_replaced_by_a_task(f):
    """A step of a chain is replaced by a task: the other steps follow that"""
    return chain(f.add(1, 1), f.become(other=f.add(2, 3)), f.mul(12)).apply_async(link=f.call("link"))


@workflow(62)
def step_replaced_by_a_chain(f):
    """A step of a chain is replaced by a chain"""
    return chain(f.add(1, 1), f.become(other=chain(f.add(2, 3), f.mul(6))), f.mul(2), f.add(2)).apply_async()


@workflow([5, 6])
def step_replaced_by_a_group(f):
    """A step of a chain is replaced by a group"""
    return chain(f.add(1, 1), f.become(other=f.group(f.add(2, 3), f.add(2, 4))), f.value()).apply_async()


@workflow(22)
def step_replaced_by_a_chord(f):
    """A step of a chain is replaced by a chord"""
    return chain(f.add(1, 1), f.become(other=f.chord([f.add(2, 3), f.add(2, 4)], f.total())), f.mul(2)).apply_async()


@workflow([1, 5])
def member_replaced_by_a_task(f):
    """A member of a chord is replaced by a task"""
    return f.chord([f.value(1), f.become(other=f.add(2, 3))], f.value()).apply_async()


@workflow([1, 20])
def member_replaced_by_a_chain(f):
    """A member of a chord is replaced by a chain"""
    return f.chord([f.value(1), f.become(other=chain(f.add(2, 3), f.mul(4)))], f.value()).apply_async()


@workflow([1, [5, 6]])
def member_replaced_by_a_group(f):
    """A member of a chord is replaced by a group"""
    return f.chord([f.value(1), f.become(other=f.group(f.add(2, 3), f.add(2, 4)))], f.value()).apply_async()


@workflow([1, 11])
def member_replaced_by_a_chord(f):
    """A member of a chord is replaced by a chord"""
    return f.chord([f.value(1), f.become(other=f.chord([f.add(2, 3), f.add(2, 4)], f.total()))], f.value()).apply_async()


@workflow("ValueError('no luck',)", calls=1)
def replaced_by_a_failure(f):
    """A replacement that fails calls the errbacks of the replaced task"""
    return f.become(other=f.fail()).apply_async(link_error=f.call("errback"))


@workflow("ChordError(\"Dependency result.parent[1] raised ValueError('no luck')\",)", calls=1)
def member_replaced_by_a_failure(f):
    """The replacement of a member of a chord fails"""
    body = f.total()
    body.link_error(f.call("body"))
    return f.chord([f.value(1), f.become(other=f.fail())], body).apply_async()


@workflow(
    [1, 2, 3],
    Difference(JOINED, ("python", "python-swift"), nodes=refused(f"NotImplementedError({TEXT!r})", f"NotImplementedError{(TEXT,)!r}")),
)
def member_joined_by_another(f):
    """A member adds another task to its chord"""
    return f.chord([f.value(1), f.join_in(2, other=f.value(3))], f.sorted()).apply_async()


@workflow(Part(nesting=2))
def replaced_knows_its_nesting(f):
    """A replacement knows how often it was replaced"""
    return f.become(other=f.become(other=f.request(1))).apply_async()


@workflow([1], calls=2)
def task_sends_tasks(f):
    """A task sends two further ones"""
    return f.send(1, calls=[f.call.si("a", label="first"), f.call.si("b", label="second")]).apply_async()


@workflow([], calls=3)
def task_sends_workflows(f):
    """A task sends a chain, a group and a chord"""
    calls = [
        chain(f.value(1), f.call("chain")), f.group(f.value.si(1), f.call.si(2, label="group")),
        f.chord([f.value(1), f.value(2)], f.call("chord")),
    ]
    return f.send(calls=calls).apply_async()


@workflow({"args": [[7]], "kwargs": {}}, calls=1)
def step_sends_a_task(f):
    """A step of a chain sends a further task, which is not of the chain"""
    return chain(f.add(3, 4), f.send(calls=[f.call.si("a", label="call")]), f.echo()).apply_async()
