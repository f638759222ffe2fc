"""What comes of a workflow, in a form that does not depend on ids: names of nodes of its result stand for them."""
import json
import re
import time

from celery import exceptions, states
from celery.result import GroupResult

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NODE = re.compile(r"\bresult\b(\.parent|\[\d+\])*")
# What a call of an errback has where nothing is said: it is sent as a group of one.
ERRBACK_CALL = {
    "args": [], "index": 0, "stamps": {}, "stamped_headers": [], "nesting": 0, "followers": {}, "expires": None, "priority": 0,
}
MEMBER = re.compile(r"(group )?result.*\.parent\[\d+\].*")


class Nodes:
    """The nodes of a result by name: result, result[1], result.parent, result.parent[0]."""

    def __init__(self, result):
        self.leaves = {}
        self.names = {}
        self._walk("result", result)

    def _walk(self, name, node):
        if node is None or node.id in self.names:
            return
        if isinstance(node, GroupResult):
            self.names[node.id] = f"group {name}"
            for number, child in enumerate(node.results):
                self._walk(f"{name}[{number}]", child)
        else:
            self.names[node.id] = name
            self.leaves[name] = node
        self._walk(f"{name}.parent", node.parent)

    def plain(self, value):
        """A value as JSON has it, with names for ids."""
        if isinstance(value, str):
            return UUID.sub(lambda found: self.names.get(found[0], "other id"), value)
        if isinstance(value, dict):
            return {self.plain(key): self._relative(key, self.plain(item)) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.plain(item) for item in value]
        return value


    @staticmethod
    def _relative(key, value):
        """What follows a chord is a child of the member that ended last in Celery: any of them."""
        return "a member" if key in ("parent", "root") and isinstance(value, str) and MEMBER.fullmatch(value) else value


class Observer:
    """Waits for what comes of one workflow."""

    def __init__(self, workflow, result, fleet):
        self.workflow = workflow
        self.result = result
        self.silent = workflow.silent_nodes(fleet)
        self.call_count = workflow.call_count(fleet)
        self.nodes = Nodes(result)
        self.calls = []

    def wait(self, deadline):
        """Waits for each node that is to become ready."""
        for name, node in self.nodes.leaves.items():
            if name not in self.silent and time.monotonic() < deadline:
                try:
                    node.get(timeout=deadline - time.monotonic(), propagate=False)
                except exceptions.TimeoutError:
                    pass

    def add_call(self, message):
        """A message of a task that the journal reads."""
        args, kwargs, embed = json.loads(message.body)
        headers = message.headers
        self.calls.append({
            "label": kwargs["label"], "args": args, "root": headers["root_id"], "parent": headers["parent_id"], "index": headers["group_index"],
            "stamps": headers["stamps"], "stamped_headers": sorted(headers["stamped_headers"] or []), "nesting": headers["replaced_task_nesting"],
            "followers": {name: len(signatures) for name, signatures in embed.items() if signatures}, "expires": headers["expires"],
            "priority": message.properties.get("priority") or 0,
        })

    @property
    def has_all_calls(self):
        return len(self.calls) >= self.call_count

    def observation(self):
        """Everything that is compared."""
        plain = self.nodes.plain
        return {
            "shape": plain(self.result.as_tuple()),
            "nodes": {name: plain(self._outcome(node)) for name, node in self.nodes.leaves.items()},
            "calls": in_order(plain(call) for call in self.calls),
        }

    def close(self):
        """Nothing is expected any more."""
        for node in self.nodes.leaves.values():
            node.backend.remove_pending_result(node)

    @staticmethod
    def _outcome(node):
        state = node.state
        if state == states.SUCCESS:
            return {"state": state, "value": node.result, "children": [child.as_tuple() for child in node.children or []]}
        if state == states.PENDING:
            return {"state": state}
        error = node.result
        # Celery counts what its worker does at that time among the children of what has failed.
        return {"state": state, "error": f"{type(error).__name__}{error.args!r}"}



class ClientObserver:
    """What comes of a workflow that another client has sent: it tells the outcome itself."""

    def __init__(self, outcome):
        self.result = outcome["value"] if "value" in outcome else f"{outcome['type']}{tuple(outcome['arguments'])!r}"
        self.calls = []
        self.has_all_calls = True

    def add_call(self, message):
        args, kwargs, _ = json.loads(message.body)
        self.calls.append({"label": kwargs["label"], "args": args})

    def observation(self):
        return unnamed({"result": self.result, "calls": in_order(self.calls)})


def client_view(observation):
    """What a client that does not tell its ids sees of the same."""
    calls = [{"label": call["label"], "args": call["args"]} for call in observation["calls"]]
    return unnamed({"result": main_result(observation), "calls": in_order(calls)})


def in_order(calls):
    return sorted(calls, key=lambda call: json.dumps(call, sort_keys=True))


def unnamed(value):
    """The value without ids and names of nodes."""
    if isinstance(value, str):
        return NODE.sub("an id", UUID.sub("an id", value))
    if isinstance(value, dict):
        return {key: unnamed(item) for key, item in value.items()}
    return [unnamed(item) for item in value] if isinstance(value, list) else value


def main_result(observation):
    """The value of the main result, or the text of its error; of a group a list of them."""
    (name, _), children = observation["shape"]
    return _main(name, children, observation["nodes"])


def _main(name, children, nodes):
    if children is not None:
        return [_main(child[0][0], child[1], nodes) for child in children]
    found = nodes[name]
    return found.get("value", found.get("error", found["state"]))
