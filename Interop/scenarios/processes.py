"""What /proc knows of a worker and of its children."""
import dataclasses
import os
import pathlib


def state(process):
    """The letter of its state: R, S, Z …; empty where it is gone."""
    fields = _fields(process)
    return fields[0] if fields else ""


def is_alive(process):
    """Whether it runs; a zombie does not."""
    return state(process) not in ("", "Z", "X")


def children(process):
    """The ids of its children, zombies included."""
    found = [int(entry.name) for entry in pathlib.Path("/proc").iterdir() if entry.name.isdigit()]
    return [child for child in found if (fields := _fields(child)) and int(fields[1]) == process]


def _fields(process):
    """The fields of /proc/PID/stat from the state on."""
    try:
        return pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def status(process, name):
    """A number of /proc/PID/status, such as VmHWM in KiB."""
    for line in pathlib.Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    return 0


def pss(process):
    """Its share of memory in KiB: what it shares with others counts in part."""
    lines = pathlib.Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


@dataclasses.dataclass
class Footprint:
    """What a process holds on to."""

    descriptors: int
    threads: int
    resident: int  # KiB
    children: int
    zombies: int

    @classmethod
    def of(cls, process):
        ids = children(process)
        return cls(
            len(os.listdir(f"/proc/{process}/fd")), status(process, "Threads"), status(process, "VmRSS"), len(ids),
            sum(state(child) == "Z" for child in ids))
