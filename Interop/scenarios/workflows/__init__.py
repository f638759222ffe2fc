"""Workflows of Celery's canvas, written once: each sends itself with the kit of a fleet, and says what comes of it.

What a fleet makes of a workflow is compared with what a Python-only fleet with Redis makes of it in the same run. `expected` is the value of the
main result there, or the text of its error; it keeps people, and the yardstick, honest.
"""
import dataclasses
import importlib

from observation import ERRBACK_CALL, in_order

MODULES = {
    "chains": "Chains", "links": "Callbacks and errbacks", "groups": "Groups", "chords": "Chords", "failures": "Chords that fail",
    "replacements": "Tasks that replace and send", "builtin": "map, starmap, chunks", "options": "Options and stamps",
}
# Fleets by name; what is in them is said in fleets.py.
FLEETS = {
    "python": "Python workers, and a Swift worker that only collects the results of chords",
    "processes": "a Swift worker with the pool of processes",
    "tasks": "a Swift worker with the pool of tasks",
    "swift-python": "every other task goes to a Swift worker, the first one of a workflow to it",
    "python-swift": "every other task goes to a Swift worker, the first one of a workflow to a Python worker",
}
SWIFT = ("processes", "tasks")
MIXED = ("swift-python", "python-swift")
# Workflows which the Swift client sends, too.
SENT_BY_SWIFT = (
    "chain_of_two", "chain_with_an_immutable_step", "chain_with_a_link", "chain_with_an_application_error", "errback_by_id",
    "chain_that_ends_in_a_group", "group_of_three", "group_of_chains", "group_with_links_on_members", "map_of_three", "starmap_of_two",
    "chunks_of_two", "chord", "chord_of_none", "chord_of_chains", "chord_of_chords", "chord_in_a_chain", "chord_with_a_chain_as_body",
    "chord_with_a_retrying_member", "chord_with_a_failing_member", "group_and_task",
)


class Part(dict):
    """A map of which only some keys are expected."""

    def __eq__(self, other):
        return isinstance(other, dict) and all(key in other and other[key] == value for key, value in self.items())

    __hash__ = None


@dataclasses.dataclass(frozen=True)
class Difference:
    """How some fleets are to differ from the measure, and why."""

    reason: str
    fleets: tuple = tuple(FLEETS)
    # Nodes of the result that end in another way; without a map: that have nothing to say there.
    nodes: dict = dataclasses.field(default_factory=dict)
    # Fields of calls that are others here, by the label of the call; without a map: that are not made.
    calls: dict = dataclasses.field(default_factory=dict)
    # Calls that the measure does not make: what they have beyond ERRBACK_CALL.
    more_calls: tuple = ()

    def apply(self, observation):
        """What is to be observed instead."""
        assert self.calls.keys() <= {call["label"] for call in observation["calls"]}, "the measure makes no such call"
        calls = [{**call, **self.calls.get(call["label"], {})} for call in observation["calls"] if self.calls.get(call["label"], {}) is not None]
        calls += [{**ERRBACK_CALL, **call} for call in self.more_calls]
        return {**observation, "nodes": {**observation["nodes"], **self.nodes}, "calls": in_order(calls)}

    @property
    def more_call_count(self):
        """How many more calls there are than in the measure, where a label is that of one call."""
        return len(self.more_calls) - list(self.calls.values()).count(None)


@dataclasses.dataclass(frozen=True)
class Workflow:
    name: str
    title: str
    module: str
    send: object
    # The value of the main result, or the text of its error.
    expected: object
    # How many calls of the journal's tasks there are.
    calls: int = 0
    # Nodes of the result from which nothing ever comes.
    silent: tuple = ()
    differences: tuple = ()

    def difference(self, fleet):
        return next((difference for difference in self.differences if fleet in difference.fleets), Difference("", ()))

    def silent_nodes(self, fleet):
        return {name for name in self.silent if self.difference(fleet).nodes.get(name, {}).get("state", "PENDING") == "PENDING"}

    def call_count(self, fleet):
        return self.calls + self.difference(fleet).more_call_count


# Said of more than one workflow.
TOLD = "members of a later group or chord in the chain are told, too, that they never run"

WORKFLOWS = {}


def workflow(expected, *differences, **options):
    """Registers a function as a workflow; the first line of its docstring is the title."""

    def register(send):
        name = send.__name__
        assert name not in WORKFLOWS, name
        module = send.__module__.rpartition(".")[2]
        WORKFLOWS[name] = Workflow(name, send.__doc__.strip().splitlines()[0], module, send, expected, differences=differences, **options)
        return send

    return register


for name in MODULES:
    importlib.import_module(f"workflows.{name}")
