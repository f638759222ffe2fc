"""Writes OUTCOMES.md, for people: how every run of a task ends, from the data that test_outcome_matrix.py checks.

    python outcome_table.py            writes the file; with --print it goes to the standard output
"""
import pathlib
import sys

from outcomes import ANY, CASES, ENDINGS, MODES

PATH = pathlib.Path(__file__).parent.parent / "OUTCOMES.md"
POOLS = ("swift-processes", "swift-tasks", "swift-solo")

INTRODUCTION = """# How every run of a task ends

Made by `Interop/scenarios/outcome_table.py` of `Interop/scenarios/outcomes.py`. `test_outcome_matrix.py` checks every cell against a real RabbitMQ,
for each pool here and for Python Celery's own worker, prefork and solo, which is the measure.

- **early**, **late**: what becomes of the message when it is acknowledged at the start (Celery's default), or `acks_late`. **strict** is late with
  `acks_on_failure` and `acks_on_timeout` off. *acked*: it is gone. *refused*: rejected for good, so a dead-letter exchange gets it. *put back*: it goes
  back to its queue, and what is stored and sent after that is of the second run, which succeeds here.
- **stored**: the result messages that the caller gets, in their order; *steps* are those for the later steps of its chain, which will never run.
- **sent**: what goes out besides: *callbacks* and the *next step* of the chain, or *errbacks*.
- **pools**: where this can happen. The cells of a row hold for every pool that is named.
"""


def text():
    lines = [INTRODUCTION]
    lines += ["## Runs\n", *_table(CASES), "## Runs that end with the worker\n", *_table(ENDINGS), "## Where Celery differs\n", *_differences()]
    return "\n".join(lines).rstrip() + "\n"


def _table(cases):
    yield "| The task … | pools | early | late | strict | stored | sent |"
    yield "|---|---|---|---|---|---|---|"
    for case in cases.values():
        yield from _rows(case)
    yield ""


def _rows(case):
    """One row, or more where what is stored or sent depends on the acknowledgement."""
    kinds = [kind for kind in POOLS if case.expectation(kind, "early") or case.expectation(kind, "late")]
    if not kinds:
        return
    pools = "all" if kinds == list(POOLS) else ", ".join(kind.partition("-")[2] for kind in kinds)
    rows = {}
    for mode in MODES:
        if mode not in case.expected and case.difference(kinds[0]) is None:
            continue
        expected = case.expectation(kinds[0], mode)
        rows.setdefault((_stored(expected), _sent(expected)), {})[mode] = _settled(mode, expected)
    for (stored, sent), modes in rows.items():
        yield f"| {case.title} | {pools} | " + " | ".join(modes.get(mode, "") for mode in MODES) + f" | {stored} | {sent} |"


def _settled(mode, expected):
    if expected.left:
        return "put back"
    if expected.dead:
        return f"put back {expected.runs - 1} times, then refused" if mode != "early" and expected.runs > 2 else "refused"
    if any(result.value == "again" for result in expected.results):
        return "put back"
    starts = all(result.status != "REVOKED" or "terminated" in result.message for result in expected.results)
    return "acked at the start" if mode == "early" and starts else "acked"


def _stored(expected):
    own = [_result(result) for result in expected.results if result.value != "again"]
    again = [_result(result) for result in expected.results if result.value == "again"]
    words = own + ([f"steps: {', '.join(map(_result, expected.steps))}"] if expected.steps else []) + again
    return "<br>".join(words) or "–"


def _result(result):
    if not result.exc_type:
        return result.status
    words = [] if result.message in (None, ()) else [repr(part) for part in result.message if part != ANY and part is not None]
    return f"{result.status} `{result.exc_type}{'(' + ', '.join(words) + ')' if words else ''}`"


def _sent(expected):
    words = {"follow.callback": "callbacks", "follow.step": "next step", "follow.errback": "errbacks", "follow.replacement": "the other task"}
    return ", ".join(words[name] for name in expected.sent) or "–"


def _differences():
    for case in [*CASES.values(), *ENDINGS.values()]:
        for kind, difference in case.differs.items():
            where = {"swift": "here", "python": "in Celery"}.get(kind, f"in Celery's pool `{kind.partition('-')[2]}`")
            yield f"- The task {case.title}, {where}: {difference.reason}."
    yield ""


if __name__ == "__main__":
    if "--print" in sys.argv:
        sys.stdout.write(text())
    else:
        PATH.write_text(text())
