"""Chains: arguments, errors, shapes."""
import json

from celery import chain, signature

from workflows import TOLD, Difference, workflow

NESTED = {"text": "größer ✓ 𝄞", "list": [1, [2, [None, True, {"": []}]]], "empty": "", "null": None, "escape": "\u0000\t\"\\"}
WRONG = "TypeError('add() takes 2 positional arguments but 3 were given',)"


@workflow(6)
def chain_of_two(f):
    """Two tasks"""
    return chain(f.add(1, 2), f.add(3)).apply_async()


@workflow(3)
def chain_of_one(f):
    """One task"""
    return chain(f.add(1, 2)).apply_async()


@workflow(12)
def chain_of_twelve(f):
    """Twelve tasks"""
    return chain(f.add(0, 1), *[f.add(1) for _ in range(11)]).apply_async()


@workflow(22)
def chain_with_an_immutable_step(f):
    """An immutable step takes no result"""
    return chain(f.add(1, 1), f.add.si(5, 6), f.mul(2)).apply_async()


@workflow({"args": [{"args": [1], "kwargs": {"a": 1}}, "x"], "kwargs": {"b": [2], "c": None}})
def chain_with_keywords(f):
    """Keyword arguments, and the result in front of the others"""
    return chain(f.echo(1, a=1), f.echo("x", b=[2], c=None)).apply_async()


@workflow(160)
def chain_of_partials(f):
    """A chain whose first step is given its argument at the call"""
    return chain(f.add(4), f.mul(8))(16)


@workflow({"args": [1, 2], "kwargs": {"a": 1, "b": 3}})
def partial_call(f):
    """A partial task gets further arguments and keywords at the call"""
    return f.echo(2, a=1, b=2).apply_async((1,), {"b": 3})


@workflow(42)
def chain_of_chains(f):
    """Chains in a chain are one chain"""
    return chain(chain(f.add(1, 2), f.add(3)), chain(f.add(4), f.add(4)), f.mul(3)).apply_async()


@workflow(24)
def chain_by_operator(f):
    """A chain by operators, extended twice"""
    start = f.add(1, 1) | f.add(1)
    return (start | (f.mul(2) | f.mul(4))).apply_async()


@workflow(9)
def chain_from_json(f):
    """A chain that was JSON in between"""
    whole = chain(f.add(1, 2), f.mul(3))
    return signature(json.loads(json.dumps(whole)), app=f.app).apply_async()


@workflow(11)
def chain_of_clones(f):
    """The same task three times, one of them with another argument"""
    step = f.add(2)
    return chain(f.add(1, 2), step, step.clone(), f.add().clone(args=(4,))).apply_async()


@workflow({"args": [NESTED], "kwargs": {"ключ": NESTED}})
def chain_of_unicode_and_nesting(f):
    """Text beyond ASCII, nested and empty values"""
    return chain(f.value(NESTED), f.echo(ключ=NESTED)).apply_async()


@workflow([2**63, -2**63, 2**64, 10**40, 2**53 + 1, 0.1, 1e300, -0.0, 5e-324])
def chain_of_big_numbers(f):
    """Integers beyond 64 bits and odd floating-point numbers"""
    return chain(f.value([2**63, -2**63, 2**64, 10**40, 2**53 + 1, 0.1, 1e300, -0.0, 5e-324]), f.value()).apply_async()


@workflow({"args": [None], "kwargs": {}})
def chain_of_none(f):
    """A step that returns nothing gives nothing to the next"""
    return chain(f.value(None), f.echo()).apply_async()


@workflow(100_000)
def chain_of_large_values(f):
    """A result of half a megabyte goes from step to step"""
    return chain(f.value(["äöü"] * 100_000), f.value(), f.count()).apply_async()


@workflow("ValueError('no luck',)")
def chain_that_fails_first(f):
    """The first step fails: so do all others"""
    return chain(f.fail(), f.add(1), f.add(2)).apply_async()


@workflow("ValueError('halfway',)", calls=1)
def chain_that_fails_halfway(f):
    """A middle step fails: the errback of the chain is called once"""
    return chain(f.add(1, 1), f.fail(text="halfway"), f.add(1), f.add(1)).apply_async(link_error=f.call("errback"))


@workflow("ValueError('at last',)", calls=1)
def chain_that_fails_at_the_end(f):
    """The last step fails; the link of the chain is not called, the errback is"""
    return chain(f.add(1, 1), f.fail(text="at last")).apply_async(link=f.call("link"), link_error=f.call("errback"))


@workflow("FlowError('special', 7, {'free': 0})")
def chain_with_an_application_error(f):
    """An exception of the application, with arguments"""
    return chain(f.add(1, 1), f.fail_specially(), f.add(1)).apply_async()


@workflow(
    WRONG,
    Difference(
        "Celery's worker checks the arguments of the next step, where it knows the task, and fails the step before it",
        fleets=("processes", "tasks", "swift-python"),
        nodes={"result.parent.parent": {"state": "SUCCESS", "value": 2, "children": [[["result.parent", None], None]]}},
    ),
)
def chain_with_wrong_arguments(f):
    """A step that does not take what it gets"""
    return chain(f.add(1, 1), f.add(1, 1), f.add(1)).apply_async()


@workflow(5, calls=1)
def chain_with_a_link(f):
    """The link of a chain is the last step's"""
    return chain(f.add(1, 1), f.add(3)).apply_async(link=f.call("link"))


@workflow(5, calls=2)
def chain_with_links_on_steps(f):
    """Links on each step"""
    first, last = f.add(1, 1), f.add(3)
    first.link(f.call("first"))
    last.link(f.call("last"))
    return chain(first, last).apply_async()


@workflow("ValueError('no luck',)", calls=2)
def chain_with_errbacks_on_steps(f):
    """Of the errbacks on steps only the failed step's is called, and the chain's"""
    steps = f.add(1, 1), f.fail(), f.add(1)
    for number, step in enumerate(steps):
        step.link_error(f.call(f"step {number}"))
    return chain(*steps).apply_async(link_error=f.call("chain"))


@workflow(7)
def chain_with_retries(f):
    """A step that is retried twice"""
    return chain(f.add(1, 1), f.again(), f.add(5)).apply_async()


@workflow("ValueError('never',)", calls=1)
def chain_with_too_many_retries(f):
    """A step that is retried too often"""
    return chain(f.add(1, 1), f.exhausted(), f.add(5)).apply_async(link_error=f.call("errback"))


@workflow("PENDING", silent=("result", "result.parent"), calls=0)
def chain_with_an_ignored_run(f):
    """After a step that raises Ignore nothing follows"""
    return chain(f.add(1, 1), f.drop(), f.add(1)).apply_async(link_error=f.call("errback"))


@workflow("PENDING", silent=("result",))
def chain_with_an_expired_step(f):
    """A step has expired"""
    return chain(f.add(1, 1), f.add(1).set(**f.EXPIRY), f.add(1)).apply_async(link_error=f.call("errback"))


@workflow("Reject('not mine', False)", calls=1)
def chain_with_a_refused_step(f):
    """A step that raises Reject fails"""
    return chain(f.add(1, 1), f.refuse(), f.add(1)).apply_async(link_error=f.call("errback"))


@workflow(5, silent=("result.parent",))
def chain_with_a_step_that_ignores_results(f):
    """A step whose result is not stored gives it to the next all the same"""
    return chain(f.add(1, 1), f.quiet(), f.add(3)).apply_async()


@workflow([3, 4])
def chain_that_ends_in_a_group(f):
    """A chain that ends in a group"""
    return chain(f.add(1, 1), f.group(f.add(1), f.add(2))).apply_async()


@workflow([6, 5, 8])
def chain_that_ends_in_a_group_of_chains(f):
    """A chain that ends in a group with a group and a chain in it"""
    return chain(f.add(1, 1), f.group(f.group(f.add(3), f.add(4)), chain(f.add(2), f.mul(2)))).apply_async()


@workflow(
    ["PENDING", "PENDING"],
    Difference(
        TOLD, ("processes", "tasks", "python-swift"),
        nodes={f"result[{number}]": {"state": "FAILURE", "error": "ValueError('no luck',)"} for number in (0, 1)},
    ),
    calls=1, silent=("result[0]", "result[1]"),
)
def chain_that_fails_before_a_group(f):
    """A chain that ends in a group fails before it"""
    return chain(f.add(1, 1), f.fail(), f.group(f.add(1), f.add(2))).apply_async(link_error=f.call("errback"))
