"""What the journals of a chaos run prove: nothing confirmed is lost, nothing runs twice without a reason, every result arrives."""
import collections
import dataclasses

SETTLES_WITHIN = 1.0  # result, its confirm and the acknowledgement follow the end of a run within this time, in seconds
RECOVERS_WITHIN = 2.0  # so long after its end a fault may still break something off
FORGOTTEN = 3.0  # a killed broker forgets acknowledgements that came so shortly before


@dataclasses.dataclass
class Fault:
    """What was done, from when to when, in seconds since the epoch, and who may have felt it."""
    kind: str
    detail: str
    start: float
    end: float
    scope: str = "all"  # or: workers (their connections), a caller's name, `process N`, nobody
    forgets: bool = False

    @property
    def window(self):
        return self.start - (FORGOTTEN if self.forgets else 0), self.end + RECOVERS_WITHIN

    def excuses(self, span):
        """Whether it may have broken off what was under way."""
        first, last = self.window
        return span.begin <= last and span.end >= first and (self.scope == "all" or self.scope in span.scopes)


@dataclasses.dataclass
class Span:
    """From when to when a task was under way, and the scopes of faults that concern it."""
    begin: float
    end: float
    scopes: tuple


class Caller:
    """What one caller sent and saw."""

    def __init__(self, entries):
        self.sent = {}
        self.confirmed = {}
        self.results = set()
        self.wrong = set()
        self.troubles = {}
        self.refusals = collections.Counter()
        for stamp, (word, label, *rest) in entries:
            match word:
                case "sent":
                    self.sent[label] = stamp
                case "confirmed":
                    self.confirmed[label] = stamp
                case "result":
                    self.results.add(label)
                case "wrong":
                    self.wrong.add(label)
                case "failed":
                    self.troubles[label] = " ".join(rest)
                case "refused":
                    self.refusals[" ".join(rest).split(" ", 1)[0]] += 1

    @property
    def without_result(self):
        return self.confirmed.keys() - self.results


class Runs:
    """When the tasks began and ended, whoever ran them."""

    def __init__(self, entries):
        self.begun = 0
        self.finished = collections.defaultdict(list)
        open_runs = {}
        for stamp, (word, label, process) in entries:
            if word == "begin":
                self.begun += 1
                open_runs[label, process] = stamp
            else:
                begin = open_runs.pop((label, process), stamp)
                self.finished[label].append(Span(begin, stamp + SETTLES_WITHIN, ("workers", f"process {process}")))

    @property
    def repeated(self):
        return {label: sorted(runs, key=lambda run: run.end) for label, runs in self.finished.items() if len(runs) > 1}


def unfinished(caller, runs):
    """Confirmed tasks that never ended."""
    return sorted(caller.confirmed.keys() - runs.finished.keys(), key=natural)


def natural(label):
    return label[:1], int(label[1:])


def blamed(label, finished, callers, faults):
    """The faults at which a task that ran more than once was under way; none if there is no excuse."""
    spans = finished[:-1]
    for name, caller in callers.items():
        if label in caller.sent:
            spans = [*spans, Span(caller.sent[label], caller.confirmed.get(label, float("inf")) + SETTLES_WITHIN, (name,))]
    return [fault for fault in faults if any(fault.excuses(span) for span in spans)]


def covered(faults, begin, end):
    """Which part of the time lies in the window of a fault that concerns everybody or the workers' connections."""
    total, reached = 0.0, begin
    for first, last in sorted(fault.window for fault in faults if fault.scope in ("all", "workers")):
        first, last = max(first, reached), min(last, end)
        if last > first:
            total += last - first
            reached = last
    return total / (end - begin)
