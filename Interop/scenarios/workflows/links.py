"""Callbacks and errbacks of single tasks and of groups."""
from celery import chain

from workflows import Difference, workflow


@workflow(3, calls=1)
def link(f):
    """A link gets the result"""
    return f.add(1, 2).apply_async(link=f.call("link"))


@workflow(3, calls=3)
def several_links(f):
    """Several links, one of them immutable, one with arguments of its own"""
    return f.add(1, 2).apply_async(link=[f.call("first"), f.call.si("given", label="second"), f.call("third")])


@workflow(3, calls=2)
def link_of_a_link(f):
    """The link of a link"""
    link = f.mul(10)
    link.link(f.call("inner"))
    return f.add(1, 2).apply_async(link=[link, f.call("outer")])


@workflow(3, calls=1)
def link_that_is_a_chain(f):
    """A link that is a chain"""
    return f.add(1, 2).apply_async(link=chain(f.mul(10), f.add(1), f.call("end")))


@workflow(3, calls=2)
def link_that_is_a_group(f):
    """A link that is a group"""
    return f.add(1, 2).apply_async(link=f.group(f.call("left"), f.call("right")))


@workflow(3, calls=1)
def link_that_is_a_chord(f):
    """A link that is a chord"""
    return f.add(1, 2).apply_async(link=f.chord([f.add(1), f.add(2)], f.call("body")))


@workflow(3, calls=4)
def links_with_a_group_among_them(f):
    """A link that is a group beside links that are tasks"""
    return f.add(1, 2).apply_async(link=[f.call("task"), f.group(f.call("left"), f.call("right")), f.call("other task")])


@workflow("ValueError('no luck',)")
def link_of_a_failure(f):
    """The link of a task that fails is not called"""
    return f.fail().apply_async(link=f.call("link"))


@workflow("ValueError('no luck',)", calls=1)
def errback_by_id(f):
    """An errback gets the id of the failed task"""
    return f.fail().apply_async(link_error=f.call("errback"))


@workflow("ValueError('no luck',)", calls=3)
def several_errbacks(f):
    """Several errbacks, one of them immutable"""
    return f.fail().apply_async(link_error=[f.call("first"), f.call.si("given", label="second"), f.call("third")])


@workflow("ValueError('no luck',)", calls=1)
def errback_with_the_exception(f):
    """An errback of the newer style gets the request, the exception and the traceback"""
    return f.fail().apply_async(link_error=f.on_error("errback"))


@workflow("ValueError('no luck',)", calls=2)
def errbacks_of_both_styles(f):
    """Errbacks of both styles"""
    return f.fail().apply_async(link_error=[f.on_error("exception"), f.call("id")])


@workflow(
    "ValueError('no luck',)",
    Difference(
        "Celery calls an errback that is a chain with a request and an exception, which cannot be sent",
        ("processes", "tasks", "swift-python"), more_calls=({"label": "end", "args": ["result"], "root": "result", "parent": "other id"},),
    ),
)
def errback_that_is_a_chain(f):
    """An errback that is a chain"""
    return f.fail().apply_async(link_error=chain(f.value(), f.call("end")))


@workflow("ValueError('no luck',)", calls=2)
def errback_that_fails(f):
    """An errback that fails has errbacks of its own"""
    errback = f.fail_on()
    errback.link_error(f.call("errback of the errback"))
    return f.fail().apply_async(link_error=[errback, f.call("errback")])


@workflow("ValueError('never',)", calls=1)
def errback_after_retries(f):
    """An errback is called once, after the last retry"""
    return f.exhausted().apply_async(link=f.call("link"), link_error=f.call("errback"))


@workflow(4, calls=1)
def link_after_retries(f):
    """A link is called once, after the last retry"""
    return f.again(4).apply_async(link=f.call("link"), link_error=f.call("errback"))


@workflow("TaskRevokedError('expired',)")
def errback_of_an_expired_task(f):
    """A task that has expired calls neither links nor errbacks"""
    return f.add(1, 2).set(**f.EXPIRY).apply_async(link=f.call("link"), link_error=f.call("errback"))


@workflow("PENDING", silent=("result",), calls=1)
def errback_of_a_task_that_ignores_results(f):
    """The errback of a task whose results are ignored"""
    return f.quiet_failure().apply_async(link_error=f.call("errback"))


@workflow([2, 4], calls=1)
def link_of_a_group(f):
    """The link of a group is that of its first task"""
    group = f.group(f.add(1, 1), f.add(2, 2))
    group.link(f.call.si("given", label="link"))
    return group.apply_async()


@workflow(["ValueError('left',)", 4, "ValueError('right',)"], calls=2)
def errback_of_a_group(f):
    """The errback of a group is that of each task"""
    group = f.group(f.fail(text="left"), f.add(2, 2), f.fail(text="right"))
    group.link_error(f.call("errback"))
    return group.apply_async()
