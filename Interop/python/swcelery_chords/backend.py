"""Celery's rpc backend, with chords."""
import contextlib
import contextvars
from datetime import datetime, timezone

from celery import states
from celery.app.task import Context
from celery.backends.rpc import RPCBackend
from celery.exceptions import TaskRevokedError
from kombu.serialization import dumps
from kombu.utils.objects import cached_property
from kombu.utils.uuid import uuid

from . import canvas, delay, manifest, routing
from .collector import Collector
from .publisher import publisher

# The parts of chords that the running task has reported.
_reported = contextvars.ContextVar("swcelery_chords_reported", default=None)


class ChordRPCBackend(RPCBackend):
    """Results over AMQP reply queues, and chords that a swcelery worker joins.

    Who sends a chord publishes its manifest to a collector queue and gives that queue to the chord's tasks as their reply
    queue; who runs a task reports to it; a swcelery worker owns the queue, passes the results on to who waited for them, and
    sends the body.
    """

    def as_uri(self, include_password=True):
        return "swcelery_chords+rpc://"

    @cached_property
    def collector(self):
        return Collector.configured(self.app.conf)

    # Sending

    def ensure_chords_allowed(self):
        pass

    def apply_chord(self, header_result_args, body, **kwargs):
        """Makes a chord known to its collector. Raises, before any of its tasks is sent, where the broker does not take it."""
        group_id, results = header_result_args
        run = canvas.current_run(self)
        members, shape = manifest.members(results)
        if run.reply_to:
            members = [[task_id, run.reply_to] for task_id, _ in members]
        routing.address(body, self.app)
        conf = self.app.conf
        text = manifest.encode(group_id, members, body, shape, self._root_id(body), run.policy, self._deadline(run))
        publisher(self.app).publish(
            text, self.collector.queue(group_id), declare=True,
            retry_policy=conf.task_publish_retry_policy if conf.task_publish_retry else None,
            content_type="application/json", content_encoding="utf-8", delivery_mode=2, correlation_id=group_id,
            message_id=uuid(), type=manifest.TYPE,
        )

    def _deadline(self, run):
        expires = self.app.conf.get("result_chord_expires")
        if expires is None:
            expires = self.app.conf.result_expires
        return manifest.deadline(expires, delay.latest(run.tasks, datetime.now(timezone.utc), self.app, run.delay))

    def _root_id(self, body):
        root_id = body.options.get("root_id")
        task = self.app.current_worker_task
        if root_id is None and task is not None:
            root_id = task.request.root_id or task.request.id
        return root_id

    def collect(self, signature, result):
        """Makes a frozen task a part of the chord of its group: its worker has to report, and to the collector."""
        options = signature.options
        reply_to = options.get("reply_to")
        if self.collector.collects(reply_to):
            reply_to = None
        else:
            options["reply_to"] = self.collector.queue(options["group_id"])
        manifest.remember_reply_to(result, None if _ignores_result(signature) else reply_to)
        options["ignore_result"] = False

    def add_to_chord(self, chord_id, result):
        raise NotImplementedError(
            "a chord that has been sent takes no further task over AMQP: let the task replace itself with a group, which counts for the chord"
        )

    # Reporting

    def store_result(self, task_id, result, state, traceback=None, request=None, **kwargs):
        reply_to, correlation_id = self.destination_for(task_id, request)
        if state not in states.READY_STATES or not self.collector.collects(reply_to):
            return super().store_result(task_id, result, state, traceback=traceback, request=request, **kwargs)
        reported = _reported.get()
        if reported is not None and task_id in reported:
            return result
        meta = self._to_result(task_id, state, result, traceback, request)
        content_type, content_encoding, text = dumps(meta, self.serializer)
        publisher(self.app).publish(
            text, reply_to, retry_policy=self.retry_policy,
            content_type=content_type, content_encoding=content_encoding, delivery_mode=2, correlation_id=correlation_id,
        )
        if reported is not None:
            reported.add(task_id)
        return result

    def on_chord_part_return(self, request, state, result, **kwargs):
        """Celery calls it for every part that is ready, also for those whose results are ignored."""
        if self.collector.collects(request.reply_to):
            self.store_result(request.id, result, state, request=request)

    def mark_as_done(self, *args, **kwargs):
        with self._reporting():
            super().mark_as_done(*args, **kwargs)

    def mark_as_failure(self, task_id, exc, traceback=None, request=None, store_result=True, call_errbacks=True, state=states.FAILURE):
        with self._reporting():
            self._report_unreached(request, exc, state, traceback)
            super().mark_as_failure(
                task_id, exc, traceback=traceback, request=request, store_result=store_result, call_errbacks=call_errbacks, state=state,
            )

    def mark_as_revoked(self, task_id, reason="", request=None, store_result=True, state=states.REVOKED):
        with self._reporting():
            self._report_unreached(request, TaskRevokedError(reason), state)
            super().mark_as_revoked(task_id, reason, request=request, store_result=store_result, state=state)

    def get_state(self, task_id):
        reported = _reported.get()
        if reported and task_id in reported:
            return states.FAILURE
        return super().get_state(task_id)

    def _report_unreached(self, request, exc, state, traceback=None):
        """Reports for the parts at the end of a chain that has ended early, also where these are groups or bodies of chords."""
        for signature in _unreached(getattr(request, "chain", None)):
            options = signature["options"]
            if options.get("chord") and options.get("task_id") and self.collector.collects(options.get("reply_to")):
                context = Context(signature)
                context.update(options)
                context.id = options["task_id"]
                context.group = options.get("group_id")
                self.store_result(context.id, exc, state, traceback=traceback, request=context)

    @contextlib.contextmanager
    def _reporting(self):
        """Within, a part is reported once."""
        token = _reported.set(set())
        try:
            yield
        finally:
            _reported.reset(token)


def _ignores_result(signature):
    """Whether nobody but the chord is to get a task's result, which is what the message would say otherwise."""
    ignores = signature.options.get("ignore_result")
    if ignores is None:
        try:
            ignores = signature.type.ignore_result
        except KeyError:  # not registered where the chord is sent
            return False
    return bool(ignores)


def _unreached(chain):
    """The tasks of a chain that will not run, in no order, apart from those that are parts of chords within it."""
    waiting = list(chain) if isinstance(chain, (list, tuple)) else []
    while waiting:
        signature = waiting.pop()
        if not isinstance(signature, dict) or not isinstance(signature.get("options"), dict):
            continue
        kwargs = signature.get("kwargs")
        kwargs = kwargs if isinstance(kwargs, dict) else {}
        kind = signature.get("subtask_type")
        if kind in ("chain", "group"):
            tasks = kwargs.get("tasks")
            waiting.extend(tasks if isinstance(tasks, (list, tuple)) else [])
        elif kind == "chord":
            waiting.append(kwargs.get("body"))
        else:
            yield signature


canvas.install(ChordRPCBackend)
