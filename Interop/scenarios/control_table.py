"""Writes CONTROL.md, for people: what the replies to remote control have in common, from the data that test_control.py checks.

    python control_table.py            writes the file; with --print it goes to the standard output
"""
import pathlib
import sys

from control_cases import CASES, EQUAL, LAYOUT

PATH = pathlib.Path(__file__).parent.parent / "CONTROL.md"

INTRODUCTION = """# Remote control: a Swift worker's replies beside Celery's

Made by `Interop/scenarios/control_table.py` of `Interop/scenarios/control_cases.py`. `test_control.py` sends each command, with real Celery's
`app.control` and by the `celery` command line, to a Swift worker (pool `processes`) and to a Python worker (`prefork`) that hold the same tasks, and
compares the replies field by field.

- **equal**: the replies are the same, but for names of nodes, ids of processes, and times.
- **same layout**: the same keys in the same order, with values of the same types.
- **same keys**: the same outermost form; what is in it differs, for the reason that is told.

`shutdown` is not in the table: neither worker answers it, and both end after the tasks that run.

| Kind | Command | Replies | Why they differ |
|---|---|---|---|
"""


def text():
    words = {EQUAL: "equal", LAYOUT: "same layout"}
    rows = []
    for case in CASES:
        replies = words.get(case.match, "same keys")
        rows.append(f"| {case.kind} | `{case.title.replace('|', chr(92) + '|')}` | {replies} | {case.reason} |")
    return INTRODUCTION + "\n".join(rows) + "\n"


if __name__ == "__main__":
    if "--print" in sys.argv:
        sys.stdout.write(text())
    else:
        PATH.write_text(text())
