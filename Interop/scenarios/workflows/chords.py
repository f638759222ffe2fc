"""Chords: shapes of header and body, errors, members of every kind."""
from unittest.mock import ANY

from celery import chain

from workflows import Difference, workflow


@workflow(6)
def chord(f):
    """Three members and a body"""
    return f.chord([f.add(0, 1), f.add(1, 1), f.add(2, 1)], f.total()).apply_async()


@workflow([1])
def chord_of_one(f):
    """One member"""
    return f.chord([f.add(0, 1)], f.value()).apply_async()


@workflow(0)
def chord_of_none(f):
    """No member: the body is called with an empty list"""
    return f.chord([], f.total()).apply_async()


@workflow(list(range(30)))
def chord_in_order(f):
    """Thirty members: the body gets their results in their order"""
    return f.chord([f.add(number, 0) for number in range(30)], f.value()).apply_async()


@workflow({"args": [[2, 4], "x"], "kwargs": {"a": 1}})
def chord_with_arguments_of_the_body(f):
    """A body with arguments of its own"""
    return f.chord([f.add(1, 1), f.add(2, 2)], f.echo("x", a=1)).apply_async()


@workflow(5)
def chord_with_an_immutable_body(f):
    """An immutable body takes no results"""
    return f.chord([f.add(1, 1), f.add(2, 2)], f.add.si(2, 3)).apply_async()


@workflow([6, 24])
def chord_of_chains(f):
    """Chains as members"""
    return f.chord([chain(f.add(1, 2), f.add(3)), chain(f.mul(2, 3), f.mul(4))], f.value()).apply_async()


@workflow([3, 2, 4])
def chord_of_a_group(f):
    """A group in the header"""
    return f.chord([f.group(f.add(1, 1), f.add(1, 2)), f.add(1, 3)], f.value()).apply_async()


@workflow([[3, 4], 4])
def chord_of_chains_that_end_in_groups(f):
    """A chain that ends in a group in the header"""
    return f.chord([chain(f.add(1, 1), f.group(f.add(1), f.add(2))), f.add(1, 3)], f.value()).apply_async()


@workflow([3, 7, 5])
def chord_of_chords(f):
    """Chords as members"""
    header = [f.chord([f.value(1), f.value(2)], f.total()), f.chord([f.value(3), f.value(4)], f.total()), f.value(5)]
    return f.chord(header, f.value()).apply_async()


@workflow([[6, 4], 1])
def chord_three_deep(f):
    """A chord in a chord in a chord"""
    innermost = f.chord([f.value(1), f.value(2), f.value(3)], f.total())
    middle = f.chord([innermost, f.value(4)], f.value())
    return f.chord([middle, f.value(1)], f.value()).apply_async()


@workflow([13, 1])
def chord_with_a_chain_that_ends_in_a_chord(f):
    """A chain with a chord at its end as a member"""
    member = chain(f.add(1, 1), f.chord([f.add(3), f.add(6)], f.total()))
    return f.chord([member, f.value(1)], f.value()).apply_async()


@workflow([130, 1])
def chord_with_a_chain_with_a_chord_inside(f):
    """A chain with a chord in its middle as a member"""
    member = chain(f.add(1, 1), f.chord([f.add(3), f.add(6)], f.total()), f.mul(10))
    return f.chord([member, f.value(1)], f.value()).apply_async()


@workflow(61)
def chord_with_a_chain_as_body(f):
    """A chain as the body"""
    return f.chord([f.value(1), f.value(2), f.value(3)], chain(f.total(), f.mul(10), f.add(1))).apply_async()


@workflow([1, {"args": [[1, 2]], "kwargs": {}}])
def chord_with_a_group_as_body(f):
    """A group as the body"""
    return f.chord([f.value(1), f.value(2)], f.group(f.value.si(1), f.echo())).apply_async()


@workflow([[[1, 2]], [[1, 2]]])
def chord_with_a_chord_as_body(f):
    """A chord as the body"""
    body = f.chord([f.wrap(), f.wrap()], f.value())
    return f.chord([f.value(1), f.value(2)], body).apply_async()


@workflow([30, 3])
def chord_with_a_chain_that_ends_in_a_group_as_body(f):
    """A chain that ends in a group as the body"""
    return f.chord([f.value(1), f.value(2)], chain(f.total(), f.group(f.mul(10), f.value()))).apply_async()


@workflow(16)
def chord_in_a_chain(f):
    """A chord as a step of a chain"""
    return chain(f.add(1, 1), f.chord([f.add(1), f.add(2)], f.total()), f.add(9)).apply_async()


@workflow(24)
def chord_at_the_start_of_a_chain(f):
    """A chord as the first step"""
    return chain(f.chord([f.value(1), f.value(5)], f.total()), f.mul(4)).apply_async()


@workflow(7)
def chord_at_the_end_of_a_chain(f):
    """A chord as the last step"""
    return chain(f.add(1, 1), f.chord([f.add(1), f.add(2)], f.total())).apply_async()


@workflow(111)
def chord_after_chord(f):
    """Two chords, one after the other, in a chain"""
    return chain(
        f.chord([f.value(1), f.value(2)], f.total()), f.chord([f.add(10), f.add(20)], f.total()), f.mul(3), f.add(3)
    ).apply_async()


@workflow(6)
def group_and_task(f):
    """A group followed by a task is a chord"""
    return (f.group(f.value(1), f.value(2), f.value(3)) | f.total()).apply_async()


@workflow([6, 9])
def group_and_group(f):
    """A group followed by a group is a chord with a group as its body"""
    return (f.group(f.value(1), f.value(2)) | f.group(f.total_and(3), f.total_and(6))).apply_async()


@workflow([21, 42])
def groups_and_tasks(f):
    """Group, task, group, task, group"""
    whole = f.group(f.value(1), f.value(2)) | f.total() | f.group(f.mul(2), f.mul(5)) | f.total() | f.group(f.value(), f.mul(2))
    return whole.apply_async()


@workflow(12)
def group_in_a_chain(f):
    """A group in the middle of a chain"""
    return chain(f.add(1, 1), f.group(f.add(1), f.mul(2)), f.total(), f.add(5)).apply_async()


@workflow(18)
def group_of_one_and_task(f):
    """A group of one task followed by a task"""
    return chain(f.group(f.add(4, 5)), f.mul(2)).apply_async()


@workflow([4, 8, 9])
def chain_of_a_group_with_chains(f):
    """A group with chains in it, followed by a task"""
    whole = chain(f.add(1, 1), f.group(chain(f.add(1), f.add(1)), chain(f.mul(2), f.mul(2)), f.add(7)), f.value())
    return whole.apply_async()


@workflow(3, calls=1)
def chord_with_a_link(f):
    """The link of a chord is the body's"""
    whole = f.chord([f.value(1), f.value(2)], f.total())
    whole.link(f.call("link"))
    return whole.apply_async()


@workflow(6)
def chord_with_a_retrying_member(f):
    """A member is retried twice"""
    return f.chord([f.value(1), f.again(2), f.value(3)], f.total()).apply_async()


@workflow(3, silent=("result.parent[1]",))
def chord_with_a_member_that_ignores_results(f):
    """A member whose result is not stored"""
    return f.chord([f.value(1), f.quiet(2)], f.total()).apply_async()


@workflow([1, None, "größer ✓", [[]], {"a": None}, 2**70])
def chord_of_odd_values(f):
    """Results of every kind"""
    return f.chord([f.value(value) for value in [1, None, "größer ✓", [[]], {"a": None}, 2**70]], f.value()).apply_async()


@workflow([3, 4], calls=2)
def chord_with_links_on_members(f):
    """Members with links"""
    left, right = f.add(1, 2), f.add(2, 2)
    left.link(f.call("left"))
    right.link(f.call("right"))
    return f.chord([left, right], f.value()).apply_async()


@workflow([[3, 4], [5, 6]])
def group_of_chords(f):
    """Chords as members of a group"""
    return f.group(f.chord([f.value(3), f.value(4)], f.value()), f.chord([f.value(5), f.value(6)], f.value())).apply_async()


@workflow([11, 12])
def chord_called_with_an_argument(f):
    """The argument of the call goes to the members"""
    return f.chord([f.add(1), f.add(2)], f.value()).apply_async((10,))


@workflow(ANY)
def chord_members_know_their_place(f):
    """Group id, index, root and parent of members and body"""
    return f.chord([f.request(0), chain(f.value(1), f.request())], f.request()).apply_async()
