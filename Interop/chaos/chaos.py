#!/usr/bin/env python3
"""The chaos run: numbered tasks from Python and Swift to Swift workers through fault proxies, while brokers, connections and workers die.

Started by chaos.sh. All that is random comes from the seed. Exit status 0 if nothing was lost.
"""
import argparse
import bisect
import collections
import itertools
import os
import pathlib
import random
import shlex
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.parse

import kombu

from journal import Reader, Writer
from proxy import Proxy
from verdict import RECOVERS_WITHIN, Caller, Fault, Runs, blamed, covered, natural, unfinished

HEARTBEAT = 2
QUEUE = "chaos"
WORKERS = 3
PATIENCE = 90
RECOVERY = 30
MINIMUM_OF_A_KIND = 20
MINIMUM_IN_ALL = 200
LONG_RUN = 30
FOLDER = pathlib.Path(__file__).parent


class Broker:
    """The private broker and its node."""

    def __init__(self):
        self.url = os.environ["RABBITMQ_URL"]
        parts = urllib.parse.urlsplit(self.url)
        self.address = parts.hostname, parts.port
        self.opened = []

    def through(self, proxy):
        parts = urllib.parse.urlsplit(self.url)
        return urllib.parse.urlunsplit(parts._replace(netloc=f"guest:guest@{proxy.host}:{proxy.port}", query=f"heartbeat={HEARTBEAT}"))

    @staticmethod
    def _command(variable, *arguments):
        return [*shlex.split(os.environ[variable]), *arguments]

    def restart(self, pause):
        subprocess.run(self._command("RABBITMQ_CONTROL", "stop_app"), check=True, capture_output=True, timeout=120)
        time.sleep(pause)
        self._start(self._command("RABBITMQ_CONTROL", "start_app"))

    def kill(self, pause):
        subprocess.run(self._command("RABBITMQ_NODE", "kill"), check=True, capture_output=True, timeout=120)
        time.sleep(pause)
        self._start(self._command("RABBITMQ_NODE", "start"))

    def _start(self, command):
        """Runs the command, and notes when the port opened."""
        while self.is_open():  # a killed node's port closes a moment later
            time.sleep(0.01)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while not self.is_open():
            if time.monotonic() > deadline:
                raise RuntimeError("the broker did not come back")
            time.sleep(0.01)
        self.opened.append(time.time())
        if process.wait(120) != 0:
            raise RuntimeError(f"{command} failed")

    def is_open(self):
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(self.address) == 0

    def messages(self):
        """How many messages the queue holds, unacknowledged ones among them."""
        listed = subprocess.run(self._command("RABBITMQ_CONTROL", "--quiet", "list_queues", "name", "messages"), check=True, capture_output=True,
                                text=True, timeout=120).stdout
        return sum(int(line.split("\t")[1]) for line in listed.splitlines() if line.split("\t")[0] == QUEUE)


class Run:
    def __init__(self, options):
        self.options = options
        self.random = random.Random(options.seed)
        self.logs = pathlib.Path(options.logs)
        self.broker = Broker()
        self.proxies = {name: Proxy(*self.broker.address) for name in ("workers", "swift", "python")}
        self.faults = []
        self.workers = {}
        self.started = 0
        self.surprises = []
        self.log = Writer(self.logs / "faults.log")
        self.progress = Reader(self.logs / "tasks.journal")
        self.last_end = 0.0

    # Processes

    def start_worker(self):
        self.started += 1
        name = f"w{self.started}"
        command = [self.options.worker, "worker", "-Q", QUEUE, "-c", "8", "-n", f"{name}@%h", "-l", "info", "-P", "tasks",
                   "-b", self.broker.through(self.proxies["workers"])]
        with open(self.logs / f"{name}.log", "ab") as log:
            self.workers[name] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                                                  env=dict(os.environ, CHAOS_JOURNAL=str(self.logs / "tasks.journal")))
        self.log("worker", name, self.workers[name].pid)

    def check_workers(self):
        """A worker that ended by itself is a surprise, and is replaced."""
        for name, process in list(self.workers.items()):
            if process.poll() is not None:
                self.surprises.append(f"worker {name} ended by itself with status {process.returncode}")
                self.log("surprise", self.surprises[-1])
                del self.workers[name]
                self.start_worker()

    def stop_worker(self, name, number):
        process = self.workers.pop(name)
        process.send_signal(number)
        try:
            status = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            status = "none: it had to be killed"
        if number == signal.SIGTERM and status != 0:
            self.surprises.append(f"worker {name} ended a warm shutdown with status {status}")
            self.log("surprise", self.surprises[-1])

    def start_feeder(self, name, command):
        with open(self.logs / f"{name}.log", "ab") as log:
            return subprocess.Popen([*command, QUEUE, str(self.logs / f"{name}.journal"), str(self.options.seed), "40", str(self.options.rate)],
                                    stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT,
                                    env=dict(os.environ, CELERY_BROKER_URL=self.broker.through(self.proxies[name])))

    # Progress

    def look(self):
        for stamp, (word, *_) in self.progress.entries():
            if word == "end":
                self.last_end = max(self.last_end, stamp)

    def wait_for_work_after(self, moment, seconds):
        """When after the moment a task has ended; None if none did in time."""
        deadline = time.time() + seconds
        while True:
            self.look()
            if self.last_end > moment:
                return self.last_end
            if time.time() > deadline:
                return None
            time.sleep(0.02)

    # Faults: each returns what it did in detail, and whom it may have hit

    def proxy(self, *names):
        name = self.random.choice(names)
        return name, self.proxies[name]

    def connection(self, proxy):
        numbers = proxy.connections()
        return self.random.choice(numbers) if numbers else None

    def direction(self):
        return self.random.choice(["both", "to-broker", "from-broker"])

    def broker_restarted(self):
        pause = self.random.uniform(0, 2)
        self.broker.restart(pause)
        return f"down for {pause:.1f} s", "all"

    def broker_killed(self):
        pause = self.random.uniform(0, 1)
        self.broker.kill(pause)
        return f"down for {pause:.1f} s", "all"

    def all_cut(self):
        how = self.random.choice(["rst", "fin"])
        names = self.random.choice([["workers"], ["swift"], ["workers", "swift", "python"]])
        for name in names:
            self.proxies[name].cut(how=how)
        return f"{how} {' '.join(names)}", names[0] if len(names) == 1 else "all"

    def one_cut(self):
        how = self.random.choice(["rst", "fin"])
        name, proxy = self.proxy("workers", "workers", "swift", "python")
        return f"{how} {name} {self.strike(proxy, lambda number: proxy.cut(number, how))}", name

    def cut_in_a_frame(self):
        how = self.random.choice(["rst", "fin"])
        direction = self.direction()
        name, proxy = self.proxy("workers", "workers", "swift", "python")
        return f"{how} {direction} {name} {self.strike(proxy, lambda number: proxy.cut_mid_frame(number, direction, how))}", name

    def wrong_byte(self):
        place = self.random.choice(["end", "size"])
        direction = self.direction()
        name, proxy = self.proxy("workers", "workers", "swift")
        return f"{place} {direction} {name} {self.strike(proxy, lambda number: proxy.corrupt(number, direction, place))}", name

    def strike(self, proxy, fault):
        """Does it to one connection, and waits until it has happened."""
        number = self.connection(proxy)
        if number is None:
            return "none is open"
        try:
            fault(number)
        except ValueError:
            return f"#{number} had just ended"
        deadline = time.monotonic() + 2 * HEARTBEAT
        while number in proxy.armed() and time.monotonic() < deadline:
            time.sleep(0.02)
        return f"#{number}"

    def long_stall(self):
        """Longer than two heartbeats; whoever connects anew gets through."""
        seconds = self.random.uniform(2 * HEARTBEAT + 1, 2 * HEARTBEAT + 3)
        direction = self.direction()
        unread = self.random.random() < 0.3
        name, proxy = self.proxy("workers", "workers", "swift", "python")
        proxy.stall("open", direction, unread)
        time.sleep(seconds)
        proxy.resume()
        return f"{seconds:.1f} s {direction} {name}{' unread' if unread else ''}", name

    def short_stall(self):
        seconds = self.random.uniform(0.3, 0.75 * HEARTBEAT)
        direction = self.direction()
        name, proxy = self.proxy("workers", "workers", "swift", "python")
        proxy.stall("all", direction)
        time.sleep(seconds)
        proxy.resume()
        return f"{seconds:.1f} s {direction} {name}", name

    def delayed(self):
        seconds, delay = self.random.uniform(1, 3), self.random.uniform(0.1, 0.8)
        direction = self.direction()
        name, proxy = self.proxy("workers", "workers", "swift", "python")
        proxy.delay(delay, direction=direction)
        time.sleep(seconds)
        proxy.delay(0)
        return f"by {delay:.1f} s for {seconds:.1f} s {direction} {name}", "nobody"

    def worker_killed(self):
        name = self.random.choice(sorted(self.workers))
        process = self.workers[name].pid
        self.stop_worker(name, signal.SIGKILL)
        self.start_worker()
        return name, f"process {process}"

    def worker_stopped(self):
        name = self.random.choice(sorted(self.workers))
        self.start_worker()
        self.stop_worker(name, signal.SIGTERM)
        return name, "nobody"

    KINDS = {
        "broker restarted": broker_restarted,
        "broker killed": broker_killed,
        "all connections cut": all_cut,
        "one connection cut": one_cut,
        "cut in a frame": cut_in_a_frame,
        "wrong byte": wrong_byte,
        "half-open": long_stall,
        "short stall": short_stall,
        "delay": delayed,
        "worker killed": worker_killed,
        "worker stopped (warm)": worker_stopped,
    }

    def inflict(self, kind):
        start = time.time()
        detail, scope = self.KINDS[kind](self)
        fault = Fault(kind, detail, start, time.time(), scope, forgets=kind == "broker killed")
        self.faults.append(fault)
        self.log("fault", kind.replace(" ", "-"), f"{fault.end - fault.start:.3f}", scope.replace(" ", "-"), detail)
        self.check_workers()
        if self.wait_for_work_after(fault.end, RECOVERY) is None:
            self.surprises.append(f"no task ended within {RECOVERY} s after {kind} ({detail}) at {fault.end:.3f}")
            self.log("surprise", self.surprises[-1])

    def chaos(self):
        """Rounds of all kinds in random order, until the time is over; the first round is complete in any case."""
        deadline = time.monotonic() + 60 * self.options.minutes
        rounds = 0
        while True:
            kinds = list(self.KINDS)
            self.random.shuffle(kinds)
            for kind in kinds:
                if rounds and time.monotonic() > deadline:
                    return
                time.sleep(self.random.uniform(0.5, 3.5))
                self.inflict(kind)
            rounds += 1

    # The run

    def prepare(self):
        with kombu.Connection(self.broker.url) as connection:
            kombu.Queue(QUEUE, kombu.Exchange(QUEUE, type="direct"), QUEUE).bind(connection.default_channel).declare()
        for _ in range(WORKERS):
            self.start_worker()
        self.feeders = {
            "swift": self.start_feeder("swift", [self.options.client]),
            "python": self.start_feeder("python", [sys.executable, str(FOLDER / "python_feeder.py")]),
        }
        if self.wait_for_work_after(0, PATIENCE) is None:
            raise RuntimeError("no task ended at all")

    def drain(self):
        """No fault any more: the callers see their last results, the queue empties, the workers end."""
        self.log("calm")
        for proxy in self.proxies.values():
            proxy.calm()
        ended = {}
        for feeder in self.feeders.values():
            feeder.stdin.close()
        for name, feeder in self.feeders.items():
            try:
                ended[name] = feeder.wait(2 * PATIENCE)
            except subprocess.TimeoutExpired:
                feeder.kill()
                ended[name] = "none: it had to be killed"
        deadline = time.monotonic() + PATIENCE
        while self.broker.messages() > 0 and time.monotonic() < deadline:
            time.sleep(0.5)
        left = self.broker.messages()
        self.check_workers()
        for name in list(self.workers):
            self.stop_worker(name, signal.SIGTERM)
        return ended, left

    def close(self):
        for process in [*self.workers.values(), *getattr(self, "feeders", {}).values()]:
            if process.poll() is None:
                process.kill()
                process.wait()
        for proxy in self.proxies.values():
            proxy.close()


class Report:
    """Prints what holds and what does not."""

    def __init__(self):
        self.passed = 0
        self.failed = 0

    def __call__(self, holds, text, details=()):
        details = list(details)
        if holds:
            self.passed += 1
        else:
            self.failed += 1
        print(f"  {'ok    ' if holds else 'FAILED'}  {text}")
        if not holds:
            for detail in details[:40]:
                print(f"            {detail}")
            if len(details) > 40:
                print(f"            and {len(details) - 40} more")


def longest_pause(fault, ends):
    """The longest time without the end of a task, at a fault and shortly after it."""
    first, last = fault.start, fault.end + RECOVERS_WITHIN
    inside = ends[bisect.bisect(ends, first):bisect.bisect(ends, last)]
    return max(after - before for before, after in itertools.pairwise([first, *inside, last]))


def print_table(run, ends):
    print(f"  {'fault':24}{'times':>6}{'seconds':>9}   longest pause without the end of a task, seconds (median, worst)")
    for kind in run.KINDS:
        faults = [fault for fault in run.faults if fault.kind == kind]
        if faults:
            pauses = [longest_pause(fault, ends) for fault in faults]
            lasted = statistics.mean(fault.end - fault.start for fault in faults)
            print(f"  {kind:24}{len(faults):6}{lasted:9.1f}   {statistics.median(pauses):9.2f}{max(pauses):8.2f}")
    print(f"  {'in all':24}{len(run.faults):6}")


def judge(run, ended, left):
    entries = {name: Reader(run.logs / f"{name}.journal").entries() for name in ("swift", "python", "tasks")}
    callers = {name: Caller(entries[name]) for name in ("swift", "python")}
    runs = Runs(entries["tasks"])
    report = Report()

    counts = collections.Counter(fault.kind for fault in run.faults)
    least = MINIMUM_OF_A_KIND if run.options.minutes >= LONG_RUN else 1
    wanted = MINIMUM_IN_ALL if run.options.minutes >= LONG_RUN else len(run.KINDS)
    report(len(run.faults) >= wanted and all(counts[kind] >= least for kind in run.KINDS), f"{len(run.faults)} faults, of each kind at least {least}")
    for name, caller in callers.items():
        report(ended[name] == 0 and len(caller.confirmed) >= 60 * run.options.minutes,
               f"the {name} caller lived through: {len(caller.confirmed)} tasks published, {sum(caller.refusals.values())} sends failed and were repeated",
               [f"exit status {ended[name]}, its last lines:", *(run.logs / f"{name}.log").read_text(errors="replace").splitlines()[-20:]])
    for name, caller in callers.items():
        lost = unfinished(caller, runs)
        report(not lost, f"every task of the {name} caller finished at least once", lost)
    repeated = runs.repeated
    unexplained = [label for label in sorted(repeated, key=natural) if not blamed(label, repeated[label], callers, run.faults)]
    report(not unexplained, f"{len(repeated)} tasks finished more than once, all of them in flight at a fault",
           [f"{label}: {repeated[label]}" for label in unexplained])
    lost = callers["swift"].without_result
    report(not lost, "every task of the Swift caller got its result there",
           [f"{label} {callers['swift'].troubles.get(label, '')}" for label in sorted(lost, key=natural)])
    wrong = sorted(callers["swift"].wrong | callers["python"].wrong, key=natural)
    report(not wrong, "no wrong result", wrong)
    report(left == 0, "the queue is empty at the end", [f"{left} messages"])
    report(not run.surprises, "no worker ended by itself, stood still or missed its warm shutdown", run.surprises)

    print()
    print(f"  {runs.begun} runs began, {sum(map(len, runs.finished.values()))} ended, of {len(runs.finished)} tasks")
    for name, caller in callers.items():
        print(f"  {name}: sends that failed: {dict(caller.refusals) or 'none'}")
    print(f"  Python's client lost {len(callers['python'].without_result)} results: its reply queue goes away with its connection")
    results = sorted(stamp for stamp, (word, *_) in entries["swift"] if word == "result")
    firsts = [next((stamp - opened for stamp in results if stamp > opened), float("inf")) for opened in run.broker.opened]
    if firsts:
        print(f"  after {len(firsts)} returns of the broker the first result came {statistics.median(firsts):.2f} s after its port opened"
              f" (median; worst {max(firsts):.2f} s)")
    ends = sorted(stamp for stamp, (word, *_) in entries["tasks"] if word == "end")
    print(f"  {covered(run.faults, run.faults[0].start, run.faults[-1].end):.0%} of the time lies in the window of a fault that may excuse any second run")
    print_table(run, ends)
    return report


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--rate", type=float, default=40)
    parser.add_argument("--logs", required=True)
    parser.add_argument("--worker", required=True)
    parser.add_argument("--client", required=True)
    run = Run(parser.parse_args())
    try:
        run.prepare()
        run.chaos()
        ended, left = run.drain()
    finally:
        run.close()
    report = judge(run, ended, left)
    print(f"{report.passed} passed, {report.failed} failed")
    return report.failed > 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
