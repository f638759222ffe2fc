"""What a workflow is written with: the tasks of flows.py, placed on the queues of a fleet, and calls that the journal sees."""
import itertools
import uuid

from celery import chord, group


class Kit:
    """kit.add(1, 2) is the signature of flow.add on the fleet's next queue; kit.add.si, .map, .starmap and .chunks are Celery's."""

    # Expires while it waits in the worker; the broker drops what expires in a queue.
    EXPIRY = {"countdown": 6, "expires": 5}

    def __init__(self, app, queues, journal, flow):
        self.app = app
        self.journal = journal
        self.flow = flow
        self._queues = itertools.cycle(queues)
        self.call = Calls(self, "journal.call", {"queue": journal}, {})

    def __getattr__(self, name):
        return Placed(self, self.app.tasks[f"flow.{name}"])

    def on_error(self, label):
        """An errback of the newer style; where it comes as a message, it runs on the next queue."""
        return self.place(Calls(self, "flow.on_error", {}, {"queue": self.journal})(label))

    def builtin(self, name, *args, **kwargs):
        return self.place(self.app.tasks[name].s(*args, **kwargs))

    def group(self, *tasks):
        return group(*tasks, app=self.app)

    def chord(self, header, body):
        return chord(header, body, app=self.app)

    def place(self, signature):
        return signature.set(queue=next(self._queues))

    def new_id(self):
        return str(uuid.uuid4())


class Placed:
    def __init__(self, kit, task):
        self.kit = kit
        self.task = task

    def __call__(self, *args, **kwargs):
        return self.kit.place(self.task.s(*args, **kwargs))

    def si(self, *args, **kwargs):
        return self.kit.place(self.task.si(*args, **kwargs))

    def map(self, values):
        return self.kit.place(self.task.map(values))

    def starmap(self, values):
        return self.kit.place(self.task.starmap(values))

    def chunks(self, values, size):
        return self.kit.place(self.task.chunks(values, size))


class Calls:
    """Signatures of a task that the journal sees."""

    def __init__(self, kit, name, options, kwargs):
        self.kit = kit
        self.name = name
        self.options = options
        self.kwargs = kwargs

    def __call__(self, label):
        return self._signature((), label)

    def si(self, *args, label):
        return self._signature(args, label, immutable=True)

    def _signature(self, args, label, immutable=False):
        kwargs = {"flow": self.kit.flow, "label": label, **self.kwargs}
        return self.kit.app.signature(self.name, args=args, kwargs=kwargs, options=dict(self.options), immutable=immutable)
