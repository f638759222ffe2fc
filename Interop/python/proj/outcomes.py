"""Every way in which a task can run and end, for Celery's own worker; one for one as in examples/demo/Sources/outcomeworker.

Each outcome exists once for each mode of acknowledgement: `early.failure`, `late.failure`, `strict.failure`. Strict is late with neither failures
nor time limits acknowledged. A task that comes back from the broker says so and succeeds, so that nothing is put back for ever.
"""
import os
import signal
import time

from billiard.exceptions import SoftTimeLimitExceeded
from celery import Celery
from celery.exceptions import Ignore, Reject
from kombu import Exchange, Queue

app = Celery(
    "outcomes",
    broker=os.environ.get("CELERY_BROKER_URL") or os.environ.get("RABBITMQ_URL"),
    backend="rpc://",
)
app.conf.update(
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=True,
    task_create_missing_queues=True,
)


def _queue(name):
    """A queue whose refused messages go to another one."""
    arguments = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": f"{name}.dead"}
    return Queue(name, Exchange(name, type="direct"), routing_key=name, queue_arguments=arguments)


if os.environ.get("OUTCOME_QUEUES"):
    app.conf.task_queues = [_queue(name) for name in os.environ["OUTCOME_QUEUES"].split(",")]

MODES = {
    "early": {"acks_late": False},
    "late": {"acks_late": True},
    "strict": {"acks_late": True, "acks_on_failure": False, "acks_on_timeout": False},
}
AGAIN = "again"


def note(*words):
    """Adds a line to the journal, in one write."""
    path = os.environ.get("OUTCOME_JOURNAL")
    if path:
        with open(path, "ab", buffering=0) as journal:
            journal.write(f"{time.time()} {' '.join(words)}\n".encode())


def outcome(name, plain=False, **options):
    """Registers the body in every mode. Unless it is plain, it is not called when the message came back from the broker."""

    def register(body):
        def run(self, *args, **kwargs):
            note("begin", self.request.id, str(os.getpid()))
            if self.request.delivery_info["redelivered"]:
                return AGAIN
            value = body(self, *args, **kwargs)
            note("end", self.request.id, str(os.getpid()))
            return value

        for mode, settings in MODES.items():
            app.task(bind=True, name=f"{mode}.{name}", **(settings | options))(body if plain else run)
        return body

    return register


def nap(seconds):
    """Sleeps in pieces, so that a signal's exception comes soon."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.05)


@outcome("success")
def success(self):
    return "done"


@outcome("started", track_started=True)
def started(self):
    return "done"


@outcome("ignored_result", ignore_result=True)
def ignored_result(self):
    return "done"


@outcome("failure")
def failure(self):
    raise ValueError("no luck")


@outcome("ignored_failure", ignore_result=True)
def ignored_failure(self):
    raise ValueError("no luck")


@outcome("stored_failure", ignore_result=True, store_errors_even_if_ignored=True)
def stored_failure(self):
    raise ValueError("no luck")


@outcome("expected", throws=(ValueError,))
def expected(self):
    raise ValueError("no luck")


@outcome("wrong_arguments", plain=True)
def wrong_arguments(self, number):
    return number


@outcome("unencodable")
def unencodable(self):
    return object()


@outcome("retry")
def retry(self):
    if self.request.retries < 1:
        raise self.retry(countdown=0.1, exc=ValueError("not yet"))
    return "done"


@outcome("retry_without_cause")
def retry_without_cause(self):
    if self.request.retries < 1:
        raise self.retry(countdown=0.1)
    return "done"


@outcome("exhausted", max_retries=1)
def exhausted(self):
    raise self.retry(countdown=0.1, exc=ValueError("no luck"))


@outcome("exhausted_without_cause", max_retries=1)
def exhausted_without_cause(self):
    raise self.retry(countdown=0.1)


@outcome("autoretry", autoretry_for=(ValueError,), retry_backoff=1, retry_backoff_max=1, retry_jitter=False)
def autoretry(self):
    if self.request.retries < 1:
        raise ValueError("not yet")
    return "done"


@outcome("autoretry_exhausted", autoretry_for=(ValueError,), max_retries=1, retry_backoff=1, retry_backoff_max=1, retry_jitter=False)
def autoretry_exhausted(self):
    raise ValueError("no luck")


@outcome("autoretry_excepted", autoretry_for=(Exception,), dont_autoretry_for=(ValueError,))
def autoretry_excepted(self):
    raise ValueError("no luck")


@outcome("ignore")
def ignore(self):
    raise Ignore()


@outcome("reject")
def reject(self):
    raise Reject("not mine", requeue=False)


@outcome("requeue")
def requeue(self):
    raise Reject("not now", requeue=True)


@outcome("replace")
def replace(self, queue):
    raise self.replace(app.signature("follow.replacement", args=(1,), options={"queue": queue}))


@outcome("sleep")
def sleep(self, seconds=30):
    nap(seconds)
    return "done"


@outcome("soft_limit", soft_time_limit=0.5)
def soft_limit(self):
    nap(30)


@outcome("soft_limit_caught", soft_time_limit=0.5)
def soft_limit_caught(self):
    try:
        nap(30)
    except SoftTimeLimitExceeded:
        return "caught"


@outcome("hard_limit", time_limit=1)
def hard_limit(self):
    nap(30)


@outcome("lost")
def lost(self):
    os.kill(os.getpid(), signal.SIGKILL)


@outcome("lost_later")
def lost_later(self):
    nap(0.5)
    os.kill(os.getpid(), signal.SIGKILL)


@outcome("lost_exit")
def lost_exit(self):
    raise SystemExit(0)


@outcome("lost_rejected", reject_on_worker_lost=True)
def lost_rejected(self):
    os.kill(os.getpid(), signal.SIGKILL)


@outcome("lost_retried", retry_on_worker_lost=True, default_retry_delay=0.1)
def lost_retried(self):
    if self.request.retries < 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


@outcome("lost_retried_exhausted", retry_on_worker_lost=True, default_retry_delay=0.1, max_retries=1)
def lost_retried_exhausted(self):
    os.kill(os.getpid(), signal.SIGKILL)


# ---- retries ----


def _backoff(name, **options):
    @app.task(name=name, autoretry_for=(Exception,), max_retries=10, **options)
    def run(*args, **kwargs):
        raise ValueError("not yet")


_backoff("backoff.plain", retry_backoff=3, retry_jitter=False)
_backoff("backoff.jitter", retry_backoff=3, retry_jitter=True)
_backoff("backoff.fraction", retry_backoff=2.9, retry_backoff_max=100, retry_jitter=False)
_backoff("backoff.none", retry_kwargs={"countdown": 7})


@app.task(name="retry.far", bind=True)
def far(self, *args, **kwargs):
    raise self.retry(countdown=600, exc=ValueError("not yet"))


# ---- what runs while a worker comes to its end ----


def _record(name, **options):
    @app.task(name=name, bind=True, acks_late=True, **options)
    def run(self, seconds):
        note("begin", self.request.id, str(os.getpid()))
        time.sleep(0 if self.request.delivery_info["redelivered"] else seconds)
        note("end", self.request.id, str(os.getpid()))
        return seconds


_record("crash.record")
_record("crash.block")
