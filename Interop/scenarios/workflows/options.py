"""Options and stamps, and how they travel through a workflow."""
from celery import chain
from celery.canvas import StampingVisitor

from workflows import Difference, Part, workflow


class Visitor(StampingVisitor):
    """Stamps by what is visited."""

    def on_signature(self, sig, **headers):
        return {"step": sig.task, "stamped_headers": ["step"]}

    def on_group_start(self, group, **headers):
        return {"in_group": True, "stamped_headers": ["in_group"]}

    def on_chord_header_start(self, chord, **headers):
        stamps = super().on_chord_header_start(chord, **headers)
        return {**stamps, "in_header": [1, 2], "stamped_headers": [*stamps.get("stamped_headers", []), "in_header"]}


@workflow(Part(tenant="blue"))
def headers(f):
    """A header of the application"""
    return f.request().apply_async(headers={"tenant": "blue"})


@workflow(Part(priority=5))
def priority(f):
    """A priority"""
    return f.request().apply_async(priority=5)


@workflow(Part(priority=5))
def priority_in_a_chain(f):
    """A step with a priority"""
    return chain(f.value(1), f.request().set(priority=5), f.value()).apply_async()


@workflow(Part(priority=0))
def priority_of_a_chain(f):
    """The priority of a chain is its first step's"""
    return chain(f.request(), f.request()).apply_async(priority=3)


@workflow([Part(priority=0), Part(priority=1), Part(priority=2)])
def priority_of_a_group(f):
    """A group whose members have priorities"""
    return f.group(f.request(number).set(priority=number) for number in range(3)).apply_async()


@workflow(Part(priority=7))
def priority_of_a_chord(f):
    """A chord whose members and body have priorities"""
    return f.chord([f.request(1).set(priority=1), f.request(2)], f.request().set(priority=7)).apply_async()


@workflow(7)
def countdown_in_a_chain(f):
    """A step that waits"""
    return chain(f.add(1, 1), f.add(2).set(countdown=0.3), f.add(3)).apply_async()


@workflow(3)
def countdown_of_a_member(f):
    """A member of a chord that waits"""
    return f.chord([f.value(1), f.value(2).set(countdown=0.3)], f.total()).apply_async()


@workflow(3)
def given_task_id(f):
    """A task with an id that was given"""
    return f.add(1, 2).apply_async(task_id=f.new_id())


@workflow(6)
def given_task_id_of_a_chain(f):
    """A chain with an id that was given: it is the last step's"""
    return chain(f.add(1, 2), f.add(3)).apply_async(task_id=f.new_id())


@workflow(6)
def given_task_id_of_a_step(f):
    """A step with an id that was given"""
    return chain(f.add(1, 2).set(task_id=f.new_id()), f.add(3).set(task_id=f.new_id())).apply_async()


@workflow(3)
def given_task_id_of_a_body(f):
    """A chord whose body has an id that was given"""
    return f.chord([f.value(1), f.value(2)], f.total().set(task_id=f.new_id())).apply_async()


@workflow(5, silent=("result.parent",))
def ignored_step(f):
    """A step that is told to ignore its result"""
    return chain(f.add(1, 1).set(ignore_result=True), f.add(3)).apply_async()


@workflow(3, silent=("result.parent[0]",))
def ignored_member(f):
    """A member of a chord that is told to ignore its result"""
    return f.chord([f.value(1).set(ignore_result=True), f.value(2)], f.total()).apply_async()


@workflow(Part(tenant=None))
def headers_in_a_chain(f):
    """The headers of a chain are its first step's"""
    return chain(f.request(), f.request()).apply_async(headers={"tenant": "blue"})


@workflow(Part(tenant="blue"))
def headers_in_a_chord(f):
    """Headers of members and body"""
    return f.chord([f.request().set(headers={"tenant": "red"}), f.request()], f.request().set(headers={"tenant": "blue"})).apply_async()


@workflow(Part(stamps={"customer": ["blue"]}), calls=1)
def stamps_of_a_task(f):
    """A stamped task, and its link"""
    task = f.request()
    task.link(f.call("link"))
    task.stamp(customer="blue")
    return task.apply_async()


@workflow(Part(stamps={"customer": ["blue", "red"]}), calls=1)
def stamps_of_a_chain(f):
    """A stamped chain"""
    whole = chain(f.request(), f.request(), f.request())
    whole.stamp(customer=["blue", "red"])
    return whole.apply_async(link=f.call("link"))


@workflow([Part(stamps={"customer": ["blue"]}), Part(stamps={"customer": ["blue"]})])
def stamps_of_a_group(f):
    """A stamped group"""
    whole = f.group(f.request(), chain(f.value(1), f.request()))
    whole.stamp(customer="blue")
    return whole.apply_async()


@workflow(Part(stamps={}), calls=1)
def stamps_of_a_chord(f):
    """A stamped chord: its members have the stamps, the body and its link have not"""
    body = f.request()
    body.link(f.call("link"))
    whole = f.chord([f.request(), f.request()], body)
    whole.stamp(customer="blue")
    return whole.apply_async()


@workflow("ValueError('no luck',)", calls=1)
def stamps_of_a_failure(f):
    """A stamped task that fails, and its errback"""
    task = f.fail()
    task.link_error(f.call("errback"))
    task.stamp(customer="blue")
    return task.apply_async()


@workflow(Part(stamped_headers=["in_group", "in_header", "step"]), calls=1)
def stamps_by_a_visitor(f):
    """Stamps by a visitor of a chain with a chord in it"""
    body = f.request()
    body.link(f.call("link"))
    whole = chain(f.request(), f.chord([f.request(), f.request()], body), f.request())
    whole.stamp(visitor=Visitor())
    return whole.apply_async()


@workflow(Part(stamps={}))
def stamps_of_a_replacement(f):
    """The replacement of a stamped task has no stamps"""
    task = f.become(other=f.request())
    task.stamp(customer="blue")
    return task.apply_async()
