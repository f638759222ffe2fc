"""The same workflows on a Python-only fleet with Redis, which is the measure, and on fleets with Swift workers on AMQP alone."""
import time

import pytest

import harness
from fleets import KINDS, YARDSTICK, Fleet
from observation import main_result
from workflows import WORKFLOWS

FLEETS = [name for name in KINDS if name == YARDSTICK or harness.FLOW_WORKER and not harness.STAND_IN]


@pytest.fixture(scope="session")
def fleets(request, tmp_path_factory):
    """The fleets by name: they have run those workflows which this session has tests of."""
    wanted = {(item.callspec.params["fleet"], item.callspec.params["name"]) for item in request.session.items if "fleets" in item.fixturenames}
    names = {name for _, name in wanted}
    running = {fleet: Fleet(fleet, tmp_path_factory.mktemp(fleet)) for fleet in KINDS if fleet == YARDSTICK or any(fleet == kind for kind, _ in wanted)}
    try:
        for fleet in running.values():
            fleet.wait_until_ready()
        for fleet in running.values():
            fleet.send([workflow for workflow in WORKFLOWS.values() if workflow.name in names])
        for fleet in running.values():
            fleet.collect()
        time.sleep(1)
        for fleet in running.values():
            fleet.settle()
        yield running
    finally:
        for fleet in running.values():
            fleet.end()


@pytest.mark.parametrize("fleet, name", [(fleet, name) for fleet in FLEETS for name in WORKFLOWS])
def test_workflow(fleets, fleet, name):
    workflow, measure = WORKFLOWS[name], fleets[YARDSTICK]
    if fleet == YARDSTICK:
        observed = measure.observe(name)
        assert main_result(observed) == workflow.expected
        assert len(observed["calls"]) == workflow.calls
        assert tuple(node for node, outcome in observed["nodes"].items() if outcome["state"] == "PENDING") == workflow.silent
    else:
        difference = workflow.difference(fleet)
        assert difference.reduce(fleets[fleet].observe(name)) == difference.apply(measure.observe(name)), difference.reason
