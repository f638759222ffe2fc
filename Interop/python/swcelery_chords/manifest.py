"""What the collector has to know about a chord before its first result. README.md describes the form."""
from datetime import timedelta

from celery.result import ResultSet
from kombu.utils.json import dumps

VERSION = 1
TYPE = "swcelery.chord"
POLICY_HEADER = "swcelery_group_policy"
POLICIES = ("fail", "ignore", "continue")

# RabbitMQ 4 takes no larger message unless it is told to.
MAX_BYTES = 16 * 1024 * 1024

_REPLY_TO = "_swcelery_reply_to"


def remember_reply_to(result, reply_to):
    """Notes at the result object of a part who waited for it before the collector did."""
    setattr(result, _REPLY_TO, reply_to)


def members(results):
    """The ids and first reply queues of the tasks that complete a header, in the order in which the body gets their results.

    And how these are nested in the list that the body gets: None for a plain list, otherwise a list of True for a task and
    of lists, since a chain that ends in a group has a list of results.
    """
    found = []
    shape = _shape(results, found)
    if not found:
        raise ValueError("a chord needs a task in its header that has a result")
    if len({task_id for task_id, _ in found}) < len(found):
        raise ValueError("a task id occurs twice in the header of a chord")
    return found, None if all(part is True for part in shape) else shape


def _shape(results, found):
    shape = []
    for result in results:
        if isinstance(result, ResultSet):
            shape.append(_shape(result.results, found))
        elif hasattr(result, _REPLY_TO):
            found.append([result.id, getattr(result, _REPLY_TO)])
            shape.append(True)
        else:
            raise NotImplementedError(f"task {result.id} cannot be part of a chord: celery.canvas.Signature has not frozen it")
    return shape


def policy(*headers):
    """The first failure policy in `headers`, the message headers of the chord and of its header."""
    for candidate in headers:
        name = (candidate or {}).get(POLICY_HEADER)
        if name is not None:
            if name not in POLICIES:
                raise ValueError(f"{POLICY_HEADER} has to be one of {', '.join(POLICIES)}, not {name!r}")
            return name
    return POLICIES[0]


def deadline(expires, due):
    """When a chord fails for missing results: as long after its tasks are due as the setting says; 0 and None say never."""
    if not expires:
        return None
    return (due + (expires if isinstance(expires, timedelta) else timedelta(seconds=expires))).isoformat()


def encode(group_id, members, body, shape, root_id, policy, deadline):
    """The manifest as it travels."""
    text = dumps({
        "version": VERSION, "group_id": group_id, "members": members, "body": body, "shape": shape, "root_id": root_id, "policy": policy,
        "deadline": deadline,
    }).encode()
    if len(text) > MAX_BYTES:
        raise ValueError(f"the manifest of a chord takes {len(text)} bytes, more than {MAX_BYTES}: its body or its header is too large")
    return text
