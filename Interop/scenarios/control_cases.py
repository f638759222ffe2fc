"""The commands of remote control, each with what a Swift worker's reply has in common with that of Celery's worker.

test_control.py sends each to a Swift worker and to a Python worker that do the same, and control_table.py makes CONTROL.md of it.
"""
import dataclasses

EQUAL = "equal"    # the replies are equal, but for names of nodes, ids of processes, and times
LAYOUT = "layout"  # the same keys, in the same order, with values of the same types
KEYS = "keys"      # the same outermost keys, or texts; what is in them differs for the reason that is given


@dataclasses.dataclass(frozen=True)
class Case:
    """One command; `cli` is what follows `celery inspect` or `celery control`, None where the command line has no such form."""

    kind: str
    command: str
    arguments: dict = dataclasses.field(default_factory=dict)
    match: str = EQUAL
    reason: str = ""
    cli: tuple = ()
    # Keys that only one of the two has.
    swift_only: tuple = ()
    python_only: tuple = ()

    @property
    def title(self):
        words = ", ".join(f"{name}={value!r}" for name, value in self.arguments.items())
        return f"{self.command}({words})"


def inspect(command, arguments=None, match=EQUAL, reason="", cli=(), **options):
    return Case("inspect", command, arguments or {}, match, reason, cli and tuple(cli), **options)


def control(command, arguments=None, match=EQUAL, reason="", cli=(), **options):
    return Case("control", command, arguments or {}, match, reason, cli and tuple(cli), **options)


OWN_SOFTWARE = "it tells of its own software and system"
REGISTERED = ("demo.add", "demo.sleep")

# In this order: later commands see what earlier ones have done.
CASES = [
    inspect("ping", cli=["ping"]),
    inspect("clock", match=LAYOUT, cli=["clock"]),
    inspect("active", match=LAYOUT, cli=["active"]),
    inspect("active", {"safe": True}, match=LAYOUT),
    inspect("dump_active", match=LAYOUT),
    inspect("reserved", match=LAYOUT, cli=["reserved"]),
    inspect("scheduled", match=LAYOUT, cli=["scheduled"]),
    inspect("query_task", {"ids": ["running-1", "reserved-1", "scheduled-1", "unknown"]}, match=LAYOUT, cli=["query_task", "running-1"]),
    inspect("query_task", match=EQUAL),
    inspect("stats", match=LAYOUT, cli=["stats"], reason="`pool.implementation` and `total` tell of its own pool and tasks"),
    inspect("registered", match=KEYS, reason="each worker has its own tasks", cli=["registered"]),
    inspect("registered", {"taskinfoitems": ["max_retries", "rate_limit"]}, match=KEYS, reason="each worker has its own tasks"),
    inspect("registered", {"builtins": True}, match=KEYS, reason="each worker has its own tasks"),
    inspect("active_queues", cli=["active_queues"]),
    inspect("conf", match=KEYS, reason="only settings that are there in both", cli=["conf"]),
    inspect("report", match=KEYS, reason=OWN_SOFTWARE, cli=["report"]),
    inspect("memsample", match=KEYS, reason="needs psutil in Python, where it answers null without", cli=["memsample"]),
    inspect("memdump", match=KEYS, reason="needs psutil in Python", cli=["memdump"]),
    inspect("objgraph", match=KEYS, reason="draws Python's objects: refused with an error", cli=["objgraph"]),
    inspect("hello", {"from_node": "other@scenario", "revoked": []}, match=LAYOUT),
    control("revoke", {"task_id": "revoked-1"}, cli=["revoke", "revoked-1"]),
    control("revoke", {"task_id": []}),
    control("revoke", {"task_id": "nobody", "terminate": True}),
    control("terminate", {"task_id": ["nobody"], "signal": "KILL"}, cli=["terminate", "KILL", "nobody"]),
    control("revoke", {"task_id": ["nobody"], "terminate": True, "signal": "NOPE"}),
    control("revoke", {"task_id": ["nobody"], "terminate": True, "signal": "kill"}),
    control("revoke_by_stamped_headers", {"headers": {"color": ["red", "blue"]}}),
    control("revoke_by_stamped_headers", {"headers": ["shape=round"], "terminate": True}),
    control("revoke_by_stamped_headers", {"headers": {"color": "green"}, "terminate": True}),
    inspect("revoked", cli=["revoked"]),
    control("rate_limit", {"task_name": "demo.mul", "rate_limit": "10/m"}, cli=["rate_limit", "demo.mul", "10/m"]),
    control("rate_limit", {"task_name": "demo.mul", "rate_limit": 0}),
    control("rate_limit", {"task_name": "demo.mul", "rate_limit": "fast"}),
    control("rate_limit", {"task_name": "demo.mul", "rate_limit": "10/y"}),
    control("rate_limit", {"task_name": "demo.nope", "rate_limit": "10/m"}),
    control("time_limit", {"task_name": "demo.mul", "soft": 60, "hard": 120}, cli=["time_limit", "demo.mul", "60", "120"]),
    control("time_limit", {"task_name": "demo.nope", "soft": 60}),
    control("add_consumer", {"queue": "control-extra"}, cli=["add_consumer", "control-extra"]),
    control("add_consumer", {"queue": "control-extra-2", "exchange": "control-x", "exchange_type": "topic", "routing_key": "a.#",
                             "durable": False, "auto_delete": True}),
    inspect("active_queues", {}, match=EQUAL),
    control("cancel_consumer", {"queue": "control-extra"}, cli=["cancel_consumer", "control-extra"]),
    control("cancel_consumer", {"queue": "control-extra-2"}),
    control("cancel_consumer", {"queue": "never-consumed"}),
    control("enable_events", cli=["enable_events"]),
    control("enable_events"),
    control("disable_events", cli=["disable_events"]),
    control("disable_events"),
    control("heartbeat", cli=["heartbeat"]),
    control("pool_grow", {"n": 1}, cli=["pool_grow", "1"]),
    control("pool_shrink", {"n": 1}, cli=["pool_shrink", "1"]),
    control("autoscale", {"max": 4, "min": 2}, cli=["autoscale", "4", "2"]),
    control("pool_restart", cli=["pool_restart"]),
    control("no_such_command"),
    control("rate_limit", {"bogus": 1}),
    control("rate_limit", {"task_name": "demo.mul"}),
    control("enable_events", {"bogus": 1}),
    control("terminate", {}),
]
