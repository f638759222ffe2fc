"""Writes WORKFLOWS.md, for people: the workflows that test_workflows.py runs on every fleet, and where they differ from the measure.

    python workflow_table.py           writes the file; with --print it goes to the standard output
"""
import pathlib
import sys

from workflows import FLEETS, MODULES, SENT_BY_SWIFT, WORKFLOWS

PATH = pathlib.Path(__file__).parent.parent / "WORKFLOWS.md"


def text():
    return "\n".join([introduction(), *tables(), *differences()]).rstrip() + "\n"


def introduction():
    fleets = "\n".join(f"- **{name}**: {title}." for name, title in FLEETS.items())
    return f"""# Workflows in fleets of both languages

Made by `Interop/scenarios/workflow_table.py` of `Interop/scenarios/workflows`. `test_workflows.py` sends each of these {len(WORKFLOWS)} workflows from
a Python client to a fleet of Celery's own workers with Redis, which is the measure, and to these fleets, which have nothing but AMQP:

{fleets}

Compared are the values and errors of every node of the result, their children, the place of each task in the workflow, and which callbacks and
errbacks were called with what. *yes*: the same in every respect; a number: see the differences below. **from Swift**: a Swift client sends it, too, to
the fleets *python* and *tasks*.
"""


def tables():
    notes = numbered_differences()
    for module, title in MODULES.items():
        yield f"## {title}\n"
        yield "| Workflow | test | " + " | ".join(FLEETS) + " | from Swift |"
        yield "|---|---|" + "---|" * (len(FLEETS) + 1)
        for workflow in WORKFLOWS.values():
            if workflow.module == module:
                cells = [notes.get(workflow.difference(fleet).reason, "yes") for fleet in FLEETS]
                sender = "yes" if workflow.name in SENT_BY_SWIFT else ""
                yield f"| {workflow.title} | `{workflow.name}` | " + " | ".join(cells) + f" | {sender} |"
        yield ""


def numbered_differences():
    reasons = [difference.reason for workflow in WORKFLOWS.values() for difference in workflow.differences]
    return {reason: f"({number})" for number, reason in enumerate(dict.fromkeys(reasons), 1)}


def differences():
    yield "## Differences\n"
    for reason, number in numbered_differences().items():
        yield f"{number.strip('()')}. {reason[0].upper()}{reason[1:]}."


if __name__ == "__main__":
    if "--print" in sys.argv:
        sys.stdout.write(text())
    else:
        PATH.write_text(text())
