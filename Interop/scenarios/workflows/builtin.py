"""map, starmap and chunks."""
from celery import chain

from workflows import workflow


@workflow([1, 2, 3])
def map_of_three(f):
    """map"""
    return f.value.map([1, 2, 3]).apply_async()


@workflow([3, 7])
def starmap_of_two(f):
    """starmap"""
    return f.add.starmap([(1, 2), (3, 4)]).apply_async()


@workflow([])
def map_of_none(f):
    """map of nothing"""
    return f.value.map([]).apply_async()


@workflow("ValueError('no luck',)")
def map_that_fails(f):
    """map of a task that fails"""
    return f.fail.map([1, 2]).apply_async()


@workflow([[0, 2], [4, 6], [8]])
def chunks_of_two(f):
    """chunks"""
    return f.add.chunks([(number, number) for number in range(5)], 2).apply_async()


@workflow([[0, 2], [4]])
def chunks_as_a_group(f):
    """chunks as a group"""
    return f.add.chunks([(number, number) for number in range(3)], 2).group().apply_async()


@workflow(6)
def map_in_a_chain(f):
    """map, then a task"""
    return chain(f.value.map([1, 2, 3]), f.total()).apply_async()


@workflow(20)
def starmap_in_a_chord(f):
    """starmap as a member of a chord"""
    return f.chord([f.mul.starmap([(1, 2), (3, 4)]), f.value.map([6])], f.total_of_all()).apply_async()


@workflow(20)
def chunks_and_a_task(f):
    """chunks as a group, followed by a task"""
    return chain(f.add.chunks([(number, number) for number in range(5)], 2).group(), f.total_of_all()).apply_async()


@workflow(10, calls=1)
def celery_chain_as_a_task(f):
    """The built-in task `celery.accumulate`"""
    return f.builtin("celery.accumulate", 10, 20, index=0).apply_async(link=f.call("link"))
