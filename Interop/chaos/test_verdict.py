"""The verdict of a chaos run sees what it has to see."""
import pytest

from journal import Reader, Writer, parse
from verdict import Caller, Fault, Runs, blamed, covered, unfinished

CUT = Fault("one connection cut", "", 100.0, 100.0)
KILL = Fault("broker killed", "", 100.0, 110.0, forgets=True)
WORKER = Fault("worker killed", "", 100.0, 100.0, scope="process 1")
OTHER = Fault("worker killed", "", 100.0, 100.0, scope="process 2")
CLIENT = Fault("one connection cut", "", 100.0, 100.0, scope="swift")
DELAY = Fault("delay", "", 99.0, 102.0, scope="nobody")


def caller(*lines):
    return Caller([parse(line) for line in lines])


def runs(*lines):
    return Runs([parse(line) for line in lines])


def test_journal(tmp_path):
    path = tmp_path / "journal"
    reader = Reader(path)
    assert reader.entries() == []
    Writer(path)("refused", "p1", "two\nlines")
    with open(path, "a") as file:
        file.write("2.0 sent p")
    [(_, words)] = reader.entries()
    assert words == ["refused", "p1", "two", "lines"]
    with open(path, "a") as file:
        file.write("2\n")
    assert reader.entries() == [(2.0, ["sent", "p2"])]


def test_unfinished_tasks_are_found():
    sent = caller("1 sent s1 a", "1 confirmed s1", "1 sent s10 b", "1 confirmed s10", "1 sent s2 c", "1 confirmed s2", "1 sent s3 d")
    assert unfinished(sent, runs("2 begin s1 1", "3 end s1 1", "2 begin s2 1")) == ["s2", "s10"]


def test_lost_results_are_found():
    sent = caller("1 sent s1 a", "1 confirmed s1", "1 sent s2 b", "1 confirmed s2", "2 result s1", "2 failed s2 for a reason")
    assert sent.without_result == {"s2"}
    assert sent.troubles == {"s2": "for a reason"}


def test_refusals_are_counted_by_kind():
    sent = caller("1 sent s1 a", "1 refused s1 connection: gone", "1 refused s1 timeout: late", "1 refused s1 connection: gone")
    assert sent.refusals == {"connection:": 2, "timeout:": 1}


def test_a_killed_run_does_not_count_as_finished():
    assert runs("1 begin s1 1", "2 begin s1 2", "3 end s1 2").repeated == {}


@pytest.mark.parametrize(("first_run", "fault", "is_excused"), [
    (("99.5", "100.5"), CUT, True),
    (("98.0", "99.5"), CUT, True),  # its result or acknowledgement was under way
    (("97.0", "98.5"), CUT, False),
    (("101.5", "101.6"), CUT, True),
    (("102.5", "103.0"), CUT, False),
    (("96.0", "96.5"), KILL, True),
    (("90.0", "95.0"), KILL, False),
    (("99.5", "100.5"), WORKER, True),
    (("99.5", "100.5"), OTHER, False),
    (("99.5", "100.5"), CLIENT, False),
    (("99.5", "100.5"), DELAY, False),
])
def test_a_second_run_needs_an_excuse(first_run, fault, is_excused):
    begin, end = first_run
    seen = runs(f"{begin} begin s1 1", f"{end} end s1 1", "200 begin s1 2", "201 end s1 2")
    assert bool(blamed("s1", seen.repeated["s1"], {"swift": caller("1 sent s1 a", "1 confirmed s1")}, [fault])) == is_excused


@pytest.mark.parametrize(("times", "excuses"), [((99, 104), [CUT, CLIENT]), ((120, 121), [])])
def test_a_send_that_met_a_fault_is_an_excuse(times, excuses):
    seen = runs("150 begin s1 1", "151 end s1 1", "152 begin s1 1", "153 end s1 1")
    sender = caller(f"{times[0]} sent s1 a", f"{times[1]} confirmed s1")
    assert blamed("s1", seen.repeated["s1"], {"swift": sender}, [CUT, CLIENT, WORKER, DELAY]) == excuses


def test_time_under_faults():
    assert covered([CUT, CLIENT, Fault("", "", 101, 103), Fault("", "", 119, 130)], 90, 120) == pytest.approx(6 / 30)
