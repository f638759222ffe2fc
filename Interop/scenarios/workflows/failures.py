"""Chords whose members or bodies fail."""
from celery import chain

from workflows import TOLD, Difference, workflow

FAILED = "ChordError(\"Dependency {0} raised ValueError('no luck')\",)".format
INNER = "ChordError(\"Dependency result.parent[0].parent[0] raised ValueError('no luck')\")"
NESTED = f"Dependency result.parent[0] raised {INNER}"
UNKNOWN = "ChordError(\"Dependency result.parent[1] raised Task of kind 'nobody.knows' never registered; please make sure it's imported.\",)"
AS_A_TASK = "the collector does not run errbacks: one of the newer style on a chord's body comes as a task, which gets the id alone"


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


@workflow(
    FAILED("result.parent[1]"),
    Difference(AS_A_TASK, ("processes", "tasks", "python-swift"), calls={"body": {"args": ["result", None], "root": "result", "parent": "other id"}}),
    Difference(f"{AS_A_TASK}, and that is not enough for it in Python", ("python", "swift-python"), calls={"body": None}),
    calls=1,
)
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
        nodes={"result": {"state": "FAILURE", "error": f"ChordError{(NESTED,)!r}"}},
        more_calls=({"label": "body", "args": ["result"], "root": "result", "parent": "result"},),
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


@workflow(
    "PENDING",
    Difference("Celery waits for ever for a member that its worker does not know", nodes={"result": {"state": "FAILURE", "error": UNKNOWN}}),
    silent=("result",),
)
def chord_with_an_unknown_member(f):
    """A member's task is known to no worker"""
    return f.chord([f.value(1), f.place(f.app.signature("nobody.knows"))], f.total()).apply_async()


@workflow(
    "ChordError('Dependency result.parent[1] raised reject requeue=False: not mine',)",
)
def chord_with_a_refused_member(f):
    """A member raises Reject"""
    return f.chord([f.value(1), f.refuse()], f.total()).apply_async()


@workflow("ChordError('Dependency result.parent[1] raised ValueError(\\'it\\\\\\'s \"odd\"\\\\n größer\\\\t\\\\x00\\')',)")
def chord_with_a_failing_member_of_odd_text(f):
    """The text of a member's error has quotes and more"""
    return f.chord([f.value(1), f.fail(text="it's \"odd\"\n größer\t\0")], f.total()).apply_async()


@workflow("ChordError(\"Dependency result.parent[0] raised FlowError('special', 7, {'free': 0})\",)")
def chord_with_an_application_error(f):
    """A member raises an exception of the application"""
    return f.chord([f.fail_specially(), f.value(1)], f.total()).apply_async()


@workflow(["ValueError('no luck',)", "ValueError('no luck',)"], calls=2)
def chord_with_a_failing_member_and_a_group_as_body(f):
    """A member fails, and the body is a group with an errback"""
    body = f.group(f.total(), f.value())
    body.link_error(f.call("body"))
    return f.chord([f.value(1), f.fail()], body).apply_async()


@workflow(FAILED("result.parent[1]"), calls=1)
def chord_with_a_failing_member_and_a_chain_as_body(f):
    """A member fails, and the body is a chain with an errback"""
    body = chain(f.total(), f.add(1))
    body.link_error(f.call("body"))
    return f.chord([f.value(1), f.fail()], body).apply_async()


@workflow(
    "PENDING",
    Difference(
        "Celery waits for ever for a body that is a chord when the header has failed",
        nodes={"result": {"state": "FAILURE", "error": FAILED("result.parent[1]")}},
        more_calls=({"label": "body", "args": ["result"], "root": "result", "parent": "result"},),
    ),
    silent=("result",),
)
def chord_with_a_failing_member_and_a_chord_as_body(f):
    """A member fails, and the body is a chord with an errback"""
    body = f.chord([f.wrap(), f.wrap()], f.value())
    body.link_error(f.call("body"))
    return f.chord([f.value(1), f.fail()], body).apply_async()


@workflow(
    FAILED("result.parent.parent.parent.parent[0]"),
    Difference(
        TOLD,
        nodes={f"result.parent.parent[{number}]": {"state": "FAILURE", "error": FAILED("result.parent.parent.parent.parent[0]")} for number in (0, 1)},
    ),
    silent=("result.parent.parent[0]", "result.parent.parent[1]"), calls=1,
)
def chord_after_a_chord_that_fails(f):
    """Of two chords in a chain the first one fails"""
    whole = chain(f.chord([f.fail(), f.value(2)], f.total()), f.chord([f.add(10), f.add(20)], f.total()), f.mul(3))
    return whole.apply_async(link_error=f.call("errback"))


@workflow([FAILED("result[0].parent[0]"), 3], calls=1)
def group_of_chords_with_a_failure(f):
    """Of two chords in a group one fails"""
    body = f.total()
    body.link_error(f.call("body"))
    return f.group(f.chord([f.fail(), f.value(1)], body), f.chord([f.value(1), f.value(2)], f.total())).apply_async()


@workflow(FAILED("result.parent[0]"), calls=1)
def chord_with_a_chain_that_fails_at_its_end(f):
    """A chain among the members fails at its last step"""
    body = f.total()
    body.link_error(f.call("body"))
    return f.chord([chain(f.value(1), f.fail()), f.value(1)], body).apply_async()


@workflow(FAILED("result.parent[1]"), calls=1)
def chord_with_a_group_that_fails(f):
    """A task of a group in the header fails"""
    body = f.value()
    body.link_error(f.call("body"))
    return f.chord([f.value(1), f.group(f.value(2), f.fail())], body).apply_async()


@workflow(
    FAILED("result.parent.parent[1]"),
    Difference(
        "errbacks of a body that never runs are called as children of the whole workflow's root, in Celery of the body",
        calls={"errback": {"root": "result.parent.parent.parent"}},
    ),
    calls=1,
)
def group_with_a_failure_in_a_chain(f):
    """A group in the middle of a chain has a failure"""
    return chain(f.add(1, 1), f.group(f.add(1), f.fail()), f.total(), f.add(1)).apply_async(link_error=f.call("errback"))
