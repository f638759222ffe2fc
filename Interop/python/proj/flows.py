"""The tasks of the workflows in scenarios/workflows, for Celery's own worker; one for one as in examples/demo/Sources/flowworker."""
import os

from celery import Celery, current_app
from celery.exceptions import Ignore, Reject

TASKS = []


def task(name, **options):
    def register(body):
        TASKS.append((name, options, body))
        return body

    return register


def make_app(broker, backend, default_queue, chord_queue_prefix, **options):
    """The application, for a worker and for a client."""
    app = Celery("flows", broker=broker, backend=backend, **options)
    app.conf.update(broker_connection_retry_on_startup=True, task_default_queue=default_queue, chord_queue_prefix=chord_queue_prefix)
    for name, options, body in TASKS:
        app.task(name=name, **options)(body)
    return app


class FlowError(Exception):
    """An exception of the application."""


@task("flow.add")
def add(x, y):
    return x + y


@task("flow.mul")
def mul(x, y):
    return x * y


@task("flow.total")
def total(numbers):
    return sum(numbers)


@task("flow.total_and")
def total_and(numbers, more):
    return sum(numbers) + more


@task("flow.total_of_all")
def total_of_all(lists):
    return sum(map(sum, lists))


@task("flow.sorted")
def sort(values):
    return sorted(values)


@task("flow.wrap")
def wrap(value):
    return [value]


@task("flow.count")
def count(values):
    return len(values)


@task("flow.value")
def value(value):
    return value


@task("flow.echo")
def echo(*args, **kwargs):
    return {"args": args, "kwargs": kwargs}


@task("flow.fail")
def fail(*args, text="no luck"):
    raise ValueError(text)


@task("flow.fail_on")
def fail_on(value):
    raise ValueError("on one argument")


@task("flow.fail_specially")
def fail_specially(*args):
    raise FlowError("special", 7, {"free": 0})


@task("flow.again", bind=True, max_retries=5)
def again(self, value, times=2):
    """Succeeds after some retries."""
    if self.request.retries < times:
        raise self.retry(countdown=0.1, exc=ValueError("not yet"))
    return value


@task("flow.exhausted", bind=True, max_retries=1)
def exhausted(self, *args):
    raise self.retry(countdown=0.1, exc=ValueError("never"))


@task("flow.quiet", ignore_result=True)
def quiet(value):
    return value


@task("flow.quiet_failure", ignore_result=True)
def quiet_failure(*args):
    raise ValueError("quiet")


@task("flow.drop")
def drop(*args):
    raise Ignore()


@task("flow.refuse")
def refuse(*args):
    raise Reject("not mine", requeue=False)


@task("flow.request", bind=True)
def request(self, *args):
    """What a task knows of its place in the workflow."""
    request = self.request
    return {
        "args": args, "id": request.id, "root": request.root_id, "parent": request.parent_id, "group": request.group, "index": request.group_index,
        "retries": request.retries, "nesting": request.replaced_task_nesting, "priority": request.delivery_info["priority"] or 0,
        "stamped_headers": sorted(request.stamped_headers or []), "stamps": {name: list(maybe_list(values)) for name, values in (request.stamps or {}).items()},
        "tenant": request.get("tenant"),
    }


def maybe_list(value):
    return value if isinstance(value, (list, tuple, set)) else [value]


@task("flow.become", bind=True)
def become(self, *args, other):
    """Is replaced by another task or workflow."""
    raise self.replace(self.app.signature(other))


@task("flow.send", bind=True)
def send(self, *args, calls):
    """Sends further tasks or workflows, and returns what it was given."""
    for call in calls:
        self.app.signature(call).apply_async()
    return args


@task("flow.join_in", bind=True)
def join_in(self, value, other):
    """Adds a task to the chord that it is a member of."""
    self.add_to_chord(self.app.signature(other))
    return value


@task("flow.on_error")
def on_error(request, exc, traceback, *, flow, label, queue):
    """An errback that is called inside of the worker; tells the journal."""
    current_app.send_task("journal.call", (request.id, repr(exc)), {"flow": flow, "label": label}, queue=queue)


@task("journal.call")
def journal(value, *, flow, label):
    """Never runs: the test reads the messages of this task."""


if "FLOW_BACKEND" in os.environ:
    app = make_app(
        os.environ["CELERY_BROKER_URL"], os.environ["FLOW_BACKEND"], os.environ["FLOW_DEFAULT_QUEUE"], os.environ["FLOW_CHORD_PREFIX"],
    )
