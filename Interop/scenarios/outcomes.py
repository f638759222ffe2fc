"""How every run of a task ends, as data: what the caller hears, what becomes of the message, what is sent on.

Celery's own worker is the measure: the table holds for it as for ours. Where one of them differs, the case says so under
`differs`, with a reason. test_outcome_matrix.py checks each cell against the broker, and outcome_table.py makes OUTCOMES.md of it.
"""
import dataclasses

ANY = "any"  # equal to whatever was observed

# ---- what the caller hears ----


@dataclasses.dataclass(frozen=True)
class Result:
    """A message in the reply queue."""

    status: str
    value: object = None
    exc_type: str = ""
    exc_module: str = ""
    message: object = None
    traceback: bool = False


def success(value="done"):
    return Result("SUCCESS", value)


def failure(exc_type, *message, module="builtins", traceback=True):
    return Result("FAILURE", exc_type=exc_type, exc_module=module, message=message, traceback=traceback)


def retry(exc_type="", *message, module="builtins"):
    """The state RETRY with the exception that is the cause, or with none."""
    return Result("RETRY", exc_type=exc_type, exc_module=module if exc_type else "", message=message if exc_type else None, traceback=True)


def revoked(reason):
    return Result("REVOKED", exc_type="TaskRevokedError", exc_module="celery.exceptions", message=(reason,))


AGAIN = success("again")  # it came back from the broker, and this time it succeeds
NO_LUCK = failure("ValueError", "no luck")
LOST = failure("WorkerLostError", ANY, module="billiard.exceptions", traceback=False)
SOFT_LIMIT = failure("SoftTimeLimitExceeded", module="billiard.exceptions")
HARD_LIMIT = failure("TimeLimitExceeded", 1, module="billiard.exceptions", traceback=False)
UNKNOWN = failure("NotRegistered", ANY, module="celery.exceptions", traceback=False)
UNDECODABLE = failure("DecodeError", ANY, module="kombu.exceptions", traceback=False)
REJECTED = failure("Reject", "not mine", False, module="celery.exceptions", traceback=False)

# ---- what is sent on: the tasks in the order in which they come ----

ON = ("follow.callback", "follow.step")
ERRBACK = ("follow.errback",)

# ---- expectations ----

MODES = ("early", "late", "strict")


@dataclasses.dataclass(frozen=True)
class Expected:
    """What is observed of one case."""

    results: tuple = ()
    steps: tuple = ()  # what is reported of the next step of its chain, which will never run
    sent: tuple = ()
    dead: int = 0  # messages in the dead-letter queue
    left: int = 0  # messages in the queue after the worker has stopped
    runs: int = 1  # how often the body began, the run of a message that came back included


@dataclasses.dataclass(frozen=True)
class Difference:
    """What one worker does otherwise, and why; without expectations it is left out there."""

    reason: str
    expected: dict | None = None


@dataclasses.dataclass(frozen=True)
class Case:
    """One way to end."""

    title: str
    expected: dict  # by mode of acknowledgement
    task: str = ""  # where it is not the case's own name
    message: dict = dataclasses.field(default_factory=dict)  # what is special in the message
    before: str = ""  # `revoke`: the id is revoked before the message comes; `terminate`: while it runs
    needs: str = ""  # a trait that the pool must have
    differs: dict = dataclasses.field(default_factory=dict)  # by kind of worker, or `swift` or `python` for all of them

    def difference(self, kind):
        return self.differs.get(kind) or self.differs.get(kind.partition("-")[0])

    def expectation(self, kind, mode):
        """None where this is no case for the worker."""
        if self.needs and self.needs not in TRAITS[kind]:
            return None
        difference = self.difference(kind)
        if difference is None:
            return self.expected[mode]
        return difference.expected and difference.expected.get(mode, self.expected[mode])


# What the pools can do: time limits; child processes, which a task can bring down; to be told something while a task runs.
TRAITS = {
    "python-prefork": {"limits", "processes", "signals"},
    "python-solo": {"in-process"},
    "swift-processes": {"limits", "processes", "signals", "guard"},
    "swift-tasks": {"limits", "signals", "in-process"},
    "swift-solo": {"limits", "signals", "in-process"},
}


def always(expected):
    """The same, however the message is acknowledged."""
    return dict.fromkeys(MODES, expected)


def failed(*results, runs=1):
    """A failure is told to the chain and to the errbacks, and its message is rejected for good where failures are not acknowledged."""
    expected = Expected(results, results[-1:], ERRBACK, runs=runs)
    return always(expected) | {"strict": dataclasses.replace(expected, dead=1)}


def ended(*results, runs=1):
    return always(Expected(results, sent=ON, runs=runs))


def brought_back(early):
    """An early message is gone; a late one goes back to the queue, and then the task succeeds."""
    again = Expected((AGAIN,), sent=ON, runs=2)
    return {"early": early, "late": again, "strict": again}


def limited(*results, steps=(), sent=ERRBACK):
    """The hard limit. Where it is not acknowledged the message goes back to the queue."""
    once = Expected(results, steps or results, sent)
    return {"early": once, "late": once, "strict": Expected((HARD_LIMIT, AGAIN), (HARD_LIMIT,), ERRBACK + ON, runs=2)}


UNSET = {"headers": {"ignore_result": None}}  # the task's own setting counts

CASES = {
    "success": Case("returns a value", ended(success())),
    "started": Case("returns a value, `track_started`", ended(Result("STARTED", value=ANY), success())),
    "ignored_result": Case("returns a value, `ignore_result`", ended(), message=UNSET),
    "failure": Case("raises an error", failed(NO_LUCK)),
    "ignored_failure": Case(
        "raises an error, `ignore_result`", always(Expected(sent=ERRBACK)) | {"strict": Expected(sent=ERRBACK, dead=1)}, message=UNSET),
    "stored_failure": Case("raises an error, `ignore_result` and `store_errors_even_if_ignored`", failed(NO_LUCK), message=UNSET),
    "expected": Case("raises an error that it has announced (`throws`)", failed(NO_LUCK)),
    "wrong_arguments": Case("does not take its arguments", failed(failure("TypeError", ANY), runs=0)),
    "unencodable": Case("returns what cannot be encoded", failed(failure("EncodeError", ANY, module="kombu.exceptions"))),
    "retry": Case("is retried", ended(retry("ValueError", "not yet"), success(), runs=2)),
    "retry_without_cause": Case("is retried without a cause", ended(retry(), success(), runs=2)),
    "exhausted": Case("is retried too often", failed(retry("ValueError", "no luck"), NO_LUCK, runs=2)),
    "exhausted_without_cause": Case(
        "is retried too often without a cause", failed(retry(), failure("MaxRetriesExceededError", ANY, module="celery.exceptions"), runs=2)),
    "autoretry": Case("is retried by `autoretry_for`", ended(retry("ValueError", "not yet"), success(), runs=2)),
    "autoretry_exhausted": Case("is retried by `autoretry_for` too often", failed(retry("ValueError", "no luck"), NO_LUCK, runs=2)),
    "autoretry_excepted": Case("raises an error of `dont_autoretry_for`", failed(NO_LUCK)),
    "ignore": Case("raises `Ignore`", always(Expected())),
    "reject": Case(
        "raises `Reject`",
        {"early": Expected((REJECTED,), (REJECTED,), ERRBACK), "late": (dead := Expected((REJECTED,), (REJECTED,), ERRBACK, dead=1)), "strict": dead}),
    "requeue": Case("raises `Reject` with `requeue`", brought_back(Expected())),
    "replace": Case("is replaced by another task", always(Expected(sent=("follow.replacement",)))),
    "expired": Case(
        "has expired", always(Expected((revoked("expired"),), runs=0)), task="success", message={"headers": {"expires": "2020-01-01T00:00:00+00:00"}}),
    "revoked": Case("is revoked while it waits", always(Expected((revoked("revoked"),), runs=0)), task="success", before="revoke"),
    "terminated": Case("is revoked with `terminate`", always(Expected((revoked("terminated"),))), task="sleep", before="terminate", needs="signals"),
    "unknown": Case(
        "is unknown to the worker",
        always(Expected((UNKNOWN,), dead=1, runs=0)), task="absent", differs={
            "swift": Difference("the steps that will never run are reported too, as after every other failure",
                                always(Expected((UNKNOWN,), (UNKNOWN,), dead=1, runs=0)))}),
    "undecodable": Case("has a body that cannot be decoded", always(Expected(runs=0)), task="success", message={"body": "[["}, differs={
        "swift": Difference("Celery drops the message without a word; here the caller hears of it, and the dead-letter exchange gets it",
                            always(Expected((UNDECODABLE,), dead=1, runs=0)))}),
    "soft_limit": Case("exceeds its soft time limit", failed(SOFT_LIMIT), needs="limits"),
    "soft_limit_caught": Case("exceeds its soft time limit and catches that", ended(success("caught")), needs="limits"),
    "hard_limit": Case("exceeds its hard time limit", limited(HARD_LIMIT), needs="limits", differs={
        "python": Difference(
            "Celery reports the limit twice, and calls the errbacks twice",
            dict.fromkeys(("early", "late"), Expected((HARD_LIMIT,) * 2, (HARD_LIMIT,) * 2, ERRBACK * 2)))}),
    "lost": Case("kills its process", failed(LOST), needs="processes"),
    "lost_exit": Case("ends its process by `exit(0)`", failed(LOST), needs="processes"),
    "lost_rejected": Case("kills its process, `reject_on_worker_lost`", brought_back(Expected((LOST,), (LOST,), ERRBACK)), needs="processes"),
    "lost_retried": Case(
        "kills its process, `retry_on_worker_lost`", ended(retry("WorkerLostError", ANY, module="billiard.exceptions"), success(), runs=2),
        needs="processes"),
    "lost_retried_exhausted": Case(
        "kills its process, `retry_on_worker_lost`, too often", failed(retry("WorkerLostError", ANY, module="billiard.exceptions"), LOST, runs=2),
        needs="processes"),
    "poison": Case(
        "kills its process each time, `reject_on_worker_lost`",
        {"early": Expected((LOST,), (LOST,), ERRBACK), "late": (poison := Expected((LOST,), (LOST,), ERRBACK, dead=1, runs=3)), "strict": poison},
        needs="guard", differs={"python": Difference("the message comes back for ever")}),
}

# ---- what ends the worker with the task ----

CANCELLED = Result("RETRY", exc_type="Retry", exc_module="celery.exceptions", message=(ANY, None, None))
EARLY_IS_LATE = Difference("this pool's acknowledgement leaves the worker when the task has ended, the early one too", {"early": Expected(left=1)})

ENDINGS = {
    "cold": Case("runs when the worker is shut down cold", {
        "early": Expected((CANCELLED,)), "late": Expected(left=1)}, task="sleep", needs="signals"),
    "killed": Case("runs when the worker is killed", {"early": Expected(), "late": Expected(left=1)}, task="sleep", differs={
        "python-solo": EARLY_IS_LATE}),
    "lost_worker": Case("kills its process, which is the worker's", {"early": Expected(), "late": Expected(left=1)}, task="lost_later", needs="in-process", differs={
        "python-solo": EARLY_IS_LATE}),
}
