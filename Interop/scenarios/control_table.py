"""Writes CONTROL.md, for people: what the replies to remote control have in common, from the data that test_control.py checks.

    python control_table.py            writes the file; with --print it goes to the standard output
"""
import collections
import pathlib
import sys

from control_cases import CASES, EQUAL, KEYS, LAYOUT

PATH = pathlib.Path(__file__).parent.parent / "CONTROL.md"

INTRODUCTION = """# Remote control: a Swift worker's replies beside Celery's

Made by `Interop/scenarios/control_table.py` of `Interop/scenarios/control_cases.py`. `test_control.py` sends each row's command, with `app.control` of
Celery 5.7.0, to a Swift worker (pool `processes`) and to a Python worker (`prefork`). Both hold two tasks that run, one that waits and one for later.
The replies are compared field by field, in the order of the table, as later commands see what earlier ones have done. {cli} of the rows are
sent a second time by `celery inspect` and `celery control`, where keys and types are compared, but for the rows of the same keys.

Of {rows} rows with {commands} commands, {equal} are equal, {layout} have the same layout, and {keys} the same keys:

- **equal**: the replies are the same, but for names of nodes, ids of processes, and times.
- **same layout**: the same keys in the same order, with values of the same types.
- **same keys**: the same outermost form; what is in it differs, for the reason that is told.

Not in the table: `shutdown`, which a Swift worker obeys without an answer (`test_a_shutdown_is_not_answered`), and `election`, to which nobody replies
(`test_mingle.py`).

A difference that the rows do not show: where all processes are busy, Celery refuses `pool_shrink` with an error, and a Swift worker gives the slot up as
soon as a task ends.

| Kind | Command | Replies | Why they differ |
|---|---|---|---|
"""


def text():
    words = {EQUAL: "equal", LAYOUT: "same layout"}
    rows = []
    for case in CASES:
        replies = words.get(case.match, "same keys")
        rows.append(f"| {case.kind} | `{case.title.replace('|', chr(92) + '|')}` | {replies} | {case.reason} |")
    counts = collections.Counter(case.match for case in CASES)
    introduction = INTRODUCTION.format(
        rows=len(CASES), commands=len({case.command for case in CASES}), cli=sum(1 for case in CASES if case.cli),
        equal=counts[EQUAL], layout=counts[LAYOUT], keys=counts[KEYS])
    return introduction + "\n".join(rows) + "\n"


if __name__ == "__main__":
    if "--print" in sys.argv:
        sys.stdout.write(text())
    else:
        PATH.write_text(text())
