"""The same workflows on a Python-only fleet with Redis, which is the measure, and on fleets with Swift workers on AMQP alone."""
import subprocess
import sys
import time

import pytest

import harness
import workflow_table
from fleets import KINDS, YARDSTICK, Fleet
from observation import client_view, main_result
from workflows import SENT_BY_SWIFT, WORKFLOWS

available = [name for name in KINDS if name == YARDSTICK or harness.FLOW_WORKER and not harness.STAND_IN]
# Fleets to which the Swift client sends.
swift_targets = [name for name in ("python", "tasks") if name in available and harness.FLOW_CLIENT]


@pytest.fixture(scope="session")
def fleets(request, tmp_path_factory):
    """The fleets by name: they have run those workflows which this session has tests of."""
    params = [item.callspec.params for item in request.session.items if "fleets" in getattr(item, "fixturenames", ())]
    wanted = [workflow for workflow in WORKFLOWS.values() if any(param["name"] == workflow.name for param in params)]
    kinds = {YARDSTICK, *(param["fleet"] for param in params)}
    running = {}
    try:
        for kind in KINDS:
            if kind in kinds:
                running[kind] = Fleet(kind, tmp_path_factory.mktemp(kind))
        for fleet in running.values():
            fleet.wait_until_ready()
        for fleet in running.values():
            fleet.send(wanted)
        for kind in {param["fleet"] for param in params if "by_swift" in param}:
            running[kind].send_from_swift()
        deadline = time.monotonic() + harness.PATIENCE
        for fleet in running.values():
            fleet.collect(deadline)
        time.sleep(1)
        for fleet in running.values():
            fleet.settle()
        yield running
    finally:
        for fleet in running.values():
            fleet.end()


@pytest.mark.parametrize("fleet, name", [(YARDSTICK, name) for name in WORKFLOWS])
def test_measure(fleets, fleet, name):
    """What Python's workers with Redis make of it is what the data say."""
    workflow, observed = WORKFLOWS[name], fleets[fleet].observe(name)
    assert main_result(observed) == workflow.expected
    assert len(observed["calls"]) == workflow.calls
    assert tuple(node for node, outcome in observed["nodes"].items() if outcome["state"] == "PENDING") == workflow.silent


@pytest.mark.parametrize("fleet, name", [(fleet, name) for fleet in available if fleet != YARDSTICK for name in WORKFLOWS])
def test_workflow(fleets, fleet, name):
    """Results, errors, ids' places and calls are those of the measure."""
    difference = WORKFLOWS[name].difference(fleet)
    assert fleets[fleet].observe(name) == difference.apply(fleets[YARDSTICK].observe(name)), difference.reason


@pytest.mark.parametrize("by_swift", [True], ids=["sent_by_swift"])
@pytest.mark.parametrize("fleet, name", [(fleet, name) for fleet in swift_targets for name in SENT_BY_SWIFT])
def test_workflow_sent_by_swift(fleets, fleet, name, by_swift):
    """A Swift client sees what a Python client sees."""
    assert fleets[fleet].observe(f"swift.{name}") == client_view(fleets[YARDSTICK].observe(name))


def test_table_is_up_to_date():
    """WORKFLOWS.md is what workflow_table.py makes of the workflows."""
    assert workflow_table.PATH.read_text() == workflow_table.text()


def test_table_can_be_written():
    done = subprocess.run([sys.executable, workflow_table.__file__, "--print"], check=True, capture_output=True, text=True, timeout=harness.TIMEOUT)
    assert done.stdout == workflow_table.text()
