"""Groups: shapes, arguments, what their members know."""
from celery import chain

from workflows import workflow


@workflow([2, 4, 6])
def group_of_three(f):
    """Three tasks"""
    return f.group(f.add(1, 1), f.add(2, 2), f.add(3, 3)).apply_async()


@workflow([2])
def group_of_one(f):
    """One task"""
    return f.group(f.add(1, 1)).apply_async()


@workflow([])
def group_of_none(f):
    """No task at all"""
    return f.group().apply_async()


@workflow(list(range(1, 41)))
def group_of_forty(f):
    """Forty tasks"""
    return f.group(f.add(number, 1) for number in range(40)).apply_async()


@workflow([11, 20, {"args": [10], "kwargs": {"a": 1}}])
def group_with_partial_arguments(f):
    """All members are given the argument of the call"""
    return f.group(f.add(1), f.mul(2), f.echo(a=1)).apply_async((10,))


@workflow([2, 3, 4, 5])
def nested_groups(f):
    """Groups in a group are one group"""
    return f.group(f.add(1, 1), f.group(f.add(1, 2), f.group(f.add(1, 3))), f.add(1, 4)).apply_async()


@workflow([6, 24])
def group_of_chains(f):
    """Chains as members"""
    return f.group(chain(f.add(1, 2), f.add(3)), chain(f.mul(2, 3), f.mul(4))).apply_async()


@workflow([[3, 4], 9])
def group_of_chains_with_groups(f):
    """Chains that end in groups as members"""
    return f.group(chain(f.add(1, 1), f.group(f.add(1), f.add(2))), f.add(4, 5)).apply_async()


@workflow([2, "ValueError('no luck',)", 6])
def group_with_a_failure(f):
    """One member fails"""
    return f.group(f.add(1, 1), f.fail(), f.add(3, 3)).apply_async()


@workflow([2, "ValueError('no luck',)"], calls=1)
def group_of_chains_with_a_failure(f):
    """A chain among the members fails, and has an errback"""
    failing = chain(f.fail(), f.add(1))
    failing.link_error(f.call("errback"))
    return f.group(f.add(1, 1), failing).apply_async()


@workflow([
    {"args": [number], "id": f"result[{number}]", "root": f"result[{number}]", "parent": None, "group": "group result", "index": number, "retries": 0,
     "nesting": 0, "priority": 0, "stamped_headers": [], "stamps": {}, "tenant": None} for number in range(3)
])
def group_members_know_their_place(f):
    """Group id, index, root and parent of the members"""
    return f.group(f.request(number) for number in range(3)).apply_async()


@workflow([2, 3])
def group_with_retries(f):
    """A member is retried"""
    return f.group(f.add(1, 1), f.again(3)).apply_async()


@workflow([2, "TaskRevokedError('expired',)"])
def group_with_an_expired_member(f):
    """A member has expired"""
    return f.group(f.add(1, 1), f.add(2, 2).set(**f.EXPIRY)).apply_async()


@workflow([2, 4], calls=2)
def group_with_links_on_members(f):
    """Members with links of their own"""
    left, right = f.add(1, 1), f.add(2, 2)
    left.link(f.call("left"))
    right.link(f.call("right"))
    return f.group(left, right).apply_async()


@workflow([6, 8])
def group_in_the_middle_of_nothing(f):
    """A group of a group of chains, called with an argument"""
    return f.group(f.group(chain(f.add(1), f.mul(2)), chain(f.add(2), f.mul(2)))).apply_async((2,))
