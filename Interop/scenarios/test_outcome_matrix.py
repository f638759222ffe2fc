"""Every outcome, with every way to acknowledge, in every pool: what outcomes.py says is what the broker saw.

The same table holds for Celery's own worker, which is where it comes from. Each worker runs all of its cases at the same time, once.
"""
import subprocess
import sys

import pytest

import harness
import outcome_table
from matrix import KINDS, Ending, Run, cells_of, differences, endings_of
from outcomes import CASES, ENDINGS

available = [kind for kind in KINDS if kind.startswith("python") or harness.OUTCOME_WORKER and not harness.STAND_IN]


@pytest.fixture(scope="session")
def observed(tmp_path_factory):
    """observed(kind): the cells of all cases on that worker, and its log."""
    runs = {}

    def cells(kind):
        if kind not in runs:
            run = Run(kind, tmp_path_factory.mktemp(kind))
            try:
                runs[kind] = run.observe(), run.worker.log_text
            except AssertionError as error:
                runs[kind] = {}, f"{run.worker.log_text}\n{error}"
        return runs[kind]

    return cells


@pytest.mark.parametrize("kind, name, mode", [(kind, name, mode) for kind in available for name, mode, _ in cells_of(kind)])
def test_outcome(observed, kind, name, mode):
    cells, log = observed(kind)
    assert cells, log[-4000:]
    assert not differences(cells[name, mode]), CASES[name].title


@pytest.mark.parametrize("kind", available)
def test_log_of_failures(observed, kind):
    """An error that the task has announced is worth a line; any other one an error with its traceback."""
    cells, log = observed(kind)
    assert cells, log[-4000:]
    lines = log.splitlines()
    expected = next(number for number, line in enumerate(lines) if f"[{cells['expected', 'early'].task_id}] raised" in line)
    assert "INFO" in lines[expected] and lines[expected].endswith("raised expected: ValueError('no luck')")
    assert "Traceback" not in lines[expected + 1]
    other = next(number for number, line in enumerate(lines) if f"[{cells['failure', 'early'].task_id}] raised" in line)
    assert "ERROR" in lines[other] and lines[other].endswith("raised unexpected: ValueError('no luck')")
    assert "Traceback" in lines[other + 1]


@pytest.mark.parametrize("kind, name, modes", [(kind, name, modes) for kind in available for name, modes in endings_of(kind)], ids=str)
def test_end_of_the_worker(tmp_path, kind, name, modes):
    cells = Ending(kind, name, tmp_path, modes).observe()
    assert not [text for cell in cells.values() for text in differences(cell)], ENDINGS[name].title


def test_every_case_runs_somewhere():
    run = {name for kind in KINDS for name, _, _ in cells_of(kind)}
    assert run == set(CASES)


def test_table_is_up_to_date():
    """OUTCOMES.md is what outcome_table.py makes of the cases."""
    assert outcome_table.PATH.read_text() == outcome_table.text()


def test_table_can_be_written(tmp_path):
    done = subprocess.run([sys.executable, outcome_table.__file__, "--print"], check=True, capture_output=True, text=True, timeout=harness.TIMEOUT)
    assert done.stdout == outcome_table.text()
