"""Chords whose members or bodies fail."""
from celery import chain

from workflows import Difference, workflow

FAILED = "ChordError(\"Dependency {0} raised ValueError('no luck')\",)".format


@workflow(FAILED("result.parent[1]"), calls=1)
def chord_with_a_failing_member(f):
    """One member fails: the body fails, its errbacks are called"""
    body = f.total()
    body.link_error(f.call("body"))
    return f.chord([f.value(1), f.fail(), f.value(3)], body).apply_async()


@workflow(FAILED("result.parent[0]"), calls=1)
def chord_with_failing_members(f):
    """All members fail: the error names the first of them"""
    body = f.total()
    body.link_error(f.call("body"))
    return f.chord([f.fail(), f.fail(), f.fail()], body).apply_async()


@workflow(FAILED("result.parent[0]"), calls=2)
def chord_with_errbacks_on_members(f):
    """A member that fails has an errback of its own, a chord has one for all"""
    member, body = f.fail(), f.total()
    member.link_error(f.call("member"))
    whole = f.chord([member, f.value(1)], body)
    whole.link_error(f.call("chord"))
    return whole.apply_async()


@workflow("ValueError('no luck',)", calls=1)
def chord_with_a_failing_body(f):
    """The body fails"""
    body = f.fail()
    body.link_error(f.call("body"))
    return f.chord([f.value(1), f.value(2)], body).apply_async()


@workflow(FAILED("result.parent[1]"), calls=1)
def chord_with_an_errback_of_the_newer_style(f):
    """The body has an errback that gets the exception"""
    body = f.total()
    body.link_error(f.on_error("body"))
    return f.chord([f.value(1), f.fail()], body).apply_async()


@workflow(FAILED("result.parent.parent[0]"), calls=1)
def chord_with_a_failing_member_in_a_chain(f):
    """A chord in a chain fails: so do the steps after it"""
    whole = chain(f.chord([f.fail(), f.value(1)], f.total()), f.add(1))
    return whole.apply_async(link_error=f.call("errback"))


@workflow(FAILED("result.parent[0]"), calls=1)
def chord_with_a_chain_that_fails(f):
    """A chain among the members fails at its first step"""
    body = f.total()
    body.link_error(f.call("body"))
    return f.chord([chain(f.fail(), f.add(1)), f.value(1)], body).apply_async()


@workflow(
    "PENDING",
    Difference(
        "Celery waits for ever for a chord among the members that has failed",
        nodes={"result": {"state": "FAILURE", "error": "ChordError(\"Dependency result.parent[0] raised ChordError(\\\"Dependency "
                          "result.parent[0].parent[0] raised ValueError('no luck')\\\")\",)"}},
        calls=("body",),
    ),
    silent=("result",),
)
def chord_of_chords_with_a_failure(f):
    """A member of an inner chord fails"""
    inner = f.chord([f.fail(), f.value(1)], f.total())
    body = f.total()
    body.link_error(f.call("body"))
    return f.chord([inner, f.value(1)], body).apply_async()


@workflow("ChordError(\"Dependency result.parent[1] raised TaskRevokedError('expired')\",)", calls=1)
def chord_with_an_expired_member(f):
    """A member has expired"""
    body = f.total()
    body.link_error(f.call("body"))
    return f.chord([f.value(1), f.value(2).set(**f.EXPIRY)], body).apply_async()


@workflow("ChordError(\"Dependency result.parent[1] raised ValueError('never')\",)")
def chord_with_an_exhausted_member(f):
    """A member is retried too often"""
    return f.chord([f.value(1), f.exhausted()], f.total()).apply_async()


@workflow("ChordError('Dependency result.parent[1] raised reject requeue=False: not mine',)")
def chord_with_a_refused_member(f):
    """A member raises Reject"""
    return f.chord([f.value(1), f.refuse()], f.total()).apply_async()
