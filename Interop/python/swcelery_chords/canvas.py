"""The places where Celery's canvas decides what the collector needs, and which no backend is asked about.

`Signature.freeze` fixes the reply queue of a task: of a chord's part that has to be the collector's, and of a task that
replaces the running one that has to be the running one's. `chord.run` knows the options of a chord, which are not passed
to `apply_chord`, and `chord.__init__` drops those of a group that becomes a header: its failure policy is kept. Apps with other backends are not
affected.
"""
import contextvars
import functools

from celery import canvas

from . import manifest

_run = contextvars.ContextVar("swcelery_chords_run", default=None)


class ChordRun:
    """A chord that is being sent."""

    def __init__(self, backend, policy=None, reply_to=None, header=None, delay=None):
        self.backend = backend
        self.policy = policy or manifest.policy()
        self.reply_to = reply_to
        self.header = header
        self.delay = delay or {}

    @property
    def tasks(self):
        """The tasks of the header, which may be replaced while these are given their ids."""
        return self.header.tasks if self.header is not None else ()


def current_run(backend):
    """The chord that is being sent with a backend."""
    run = _run.get()
    return run if run is not None and run.backend is backend else ChordRun(backend)


def install(backend_class):
    """Wraps the functions. To be called once, where `backend_class` is defined."""
    canvas.Signature.freeze = canvas.Signature._freeze = _freezing(canvas.Signature.freeze, backend_class)
    canvas._chord.run = _running(canvas._chord.run, backend_class)
    canvas._chord.__init__ = _initializing(canvas._chord.__init__)


def _freezing(freeze, backend_class):
    @functools.wraps(freeze)
    def wrapped(self, _id=None, group_id=None, chord=None, *args, **kwargs):
        run = _run.get()
        backend = run.backend if run is not None else _backend(self.app, backend_class)
        if backend is None:
            return freeze(self, _id, group_id, chord, *args, **kwargs)
        if "reply_to" not in self.options:
            reply_to = _reply_to_of_replaced(self.app, _id)
            if reply_to:
                self.options["reply_to"] = reply_to
        result = freeze(self, _id, group_id, chord, *args, **kwargs)
        if chord and group_id:
            backend.collect(self, result)
        return result
    return wrapped


def _running(run, backend_class):
    @functools.wraps(run)
    def wrapped(self, header, body, partial_args, app=None, *args, **options):
        app = app or self._get_app(body)
        backend = _backend(app, backend_class)
        if backend is None:
            return run(self, header, body, partial_args, app, *args, **options)
        own = dict(self.options)
        policy = manifest.policy(options.get("headers"), own.get("headers"), header.options.get("headers"))
        own_reply_to = own.pop("reply_to", None)
        reply_to = options.pop("reply_to", None) or own_reply_to
        if reply_to:
            # As an option of the whole it would overrule the collector's queue, member by member.
            body.options["reply_to"] = reply_to
        if isinstance(header.tasks, list):
            # Before 5.7 this is the caller's list, and freezing would leave tasks in it that have their ids and reply queues already.
            header.tasks = list(header.tasks)
        token = _run.set(ChordRun(backend, policy, reply_to, header, _delay(header, own, options)))
        try:
            return run(_with_options(self, _without_policy(own)), header, body, partial_args, app, *args, **_without_policy(options))
        finally:
            _run.reset(token)
    return wrapped


def _initializing(initialize):
    @functools.wraps(initialize)
    def wrapped(self, header, *args, **kwargs):
        initialize(self, header, *args, **kwargs)
        if isinstance(header, dict) and header.get("subtask_type") == "group":
            name = ((header.get("options") or {}).get("headers") or {}).get(manifest.POLICY_HEADER)
            headers = self.options.get("headers") or {}
            if name is not None and manifest.POLICY_HEADER not in headers:
                self.options["headers"] = {**headers, manifest.POLICY_HEADER: name}
    return wrapped


def _delay(header, own, options):
    """The countdown and the eta that all tasks of a header get from their chord; a countdown for `run` itself is that of chord.unlock."""
    delay = {name: header.options.get(name) for name in ("countdown", "eta")}
    delay.update(countdown=own.get("countdown", delay["countdown"]), eta=options.get("eta", own.get("eta", delay["eta"])))
    delay.update(options.get("header_delay") or {})
    return {name: value for name, value in delay.items() if value is not None}


def _backend(app, backend_class):
    backend = app.backend
    return backend if isinstance(backend, backend_class) else None


def _reply_to_of_replaced(app, task_id):
    """The reply queue of the task that is running, where `task_id` is its own: that of Task.replace."""
    task = app.current_worker_task if task_id else None
    return task.request.reply_to if task is not None and task.request.id == task_id else None


def _without_policy(options):
    """The options without the failure policy, which is the chord's own, and neither its members' nor its body's."""
    headers = options.get("headers")
    if not headers or manifest.POLICY_HEADER not in headers:
        return options
    options = dict(options, headers={name: value for name, value in headers.items() if name != manifest.POLICY_HEADER})
    if not options["headers"]:
        del options["headers"]
    return options


def _with_options(chord, options):
    """The same chord, not copied any deeper, with other options."""
    if options == chord.options:
        return chord
    twin = type(chord).__new__(type(chord))
    twin.__dict__.update(chord.__dict__)
    twin.update(chord)
    twin["options"] = options
    return twin
