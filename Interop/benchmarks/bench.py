"""The no-op task over a pre-filled queue, on every worker in turn: throughput, CPU per task, memory. Started by run.sh.

Between the moment when a twentieth of the queue is gone and the moment when all of it is, the tasks that were taken are set against the wall time and
against the CPU time of the worker's process tree; start-up is therefore in neither. Bare librabbitmq measures itself, from its first
message to its last.
"""
import argparse
import dataclasses
import json
import os
import pathlib
import platform
import shlex
import signal
import statistics
import subprocess
import sys
import time

import amqp
import celery
import kombu

QUEUE = "benchmark"
REPLIES = "benchmark-replies"
PREFETCH = 32
TICKS = os.sysconf("SC_CLK_TCK")
START_TIMEOUT = 60
STALL_TIMEOUT = 60


@dataclasses.dataclass
class Measurement:
    tasks_per_second: float
    cpu_microseconds: float
    pss_mib: float


@dataclasses.dataclass
class Contender:
    name: str
    command: list
    tasks: int
    measures_itself: bool = False
    variants: tuple = (False, True)  # without and with results


# ---- the process tree ----


def process_tree(root):
    """The ids of a process and of all its descendants."""
    children = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += children.get(pid, [])
    return found


def cpu_seconds(root):
    """User and system time of the tree, children that have ended included."""
    total = 0
    for pid in process_tree(root):
        try:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(field) for field in fields[11:15])
    return total / TICKS


def pss_mib(root):
    """Proportional set size of the tree: shared pages are divided by the number of processes that share them."""
    total = 0
    for pid in process_tree(root):
        try:
            lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


# ---- the queue ----


class Broker:
    def __init__(self, url):
        self.connection = kombu.Connection(url)
        self.connection.connect()
        self.channel = self.connection.default_channel

    def depth(self, queue):
        return self.channel.queue_declare(queue, passive=True).message_count

    def delete(self, *queues):
        for queue in queues:
            self.channel.queue_delete(queue)


def fill(options, tasks, with_results):
    done = subprocess.run(
        [options.bare, "publish", options.url, QUEUE, str(tasks), REPLIES if with_results else "-"],
        check=True, capture_output=True, text=True,
    )
    return json.loads(done.stdout)


# ---- measuring ----


def measure_self(contender, options, with_results):
    command = [part.format(tasks=contender.tasks) for part in contender.command]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    figures = json.loads(done.stdout)
    messages = figures["messages"]
    return Measurement(messages / figures["seconds"], figures["cpu"] / messages * 1e6, figures["pss"] / 1024)


def measure_worker(contender, options, broker, with_results):
    log = open(options.logs / f"{contender.name.replace(' ', '-').replace('/', '-')}.log", "ab")
    environment = dict(os.environ, CELERY_BROKER_URL=options.url)
    worker = subprocess.Popen(contender.command, stdout=log, stderr=log, env=environment)
    try:
        first = wait_for_depth(broker, worker, contender.tasks * 95 // 100, START_TIMEOUT)
        last = wait_for_depth(broker, worker, 0, STALL_TIMEOUT)
        memory = pss_mib(worker.pid)
        if with_results:
            wait_for_results(broker, worker, contender.tasks)
    finally:
        worker.send_signal(signal.SIGTERM)
        try:
            worker.wait(30)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()
        log.close()
    tasks = first[0] - last[0]
    return Measurement(tasks / (last[1] - first[1]), (last[2] - first[2]) / tasks * 1e6, memory)


def wait_for_depth(broker, worker, wanted, timeout):
    """Waits until no more than `wanted` messages wait in the queue: how many, when, and the CPU time of the worker until then."""
    deadline = time.monotonic() + timeout
    lowest = None
    while True:
        depth = broker.depth(QUEUE)
        if depth <= wanted:
            return depth, time.monotonic(), cpu_seconds(worker.pid)
        if lowest is None or depth < lowest:
            lowest, deadline = depth, time.monotonic() + timeout
        if worker.poll() is not None:
            raise RuntimeError(f"the worker ended with status {worker.returncode}")
        if time.monotonic() > deadline:
            raise RuntimeError(f"no progress in {timeout} s with {depth} messages left")
        time.sleep(0.02)


def wait_for_results(broker, worker, wanted):
    deadline = time.monotonic() + STALL_TIMEOUT
    while broker.depth(REPLIES) < wanted:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{broker.depth(REPLIES)} of {wanted} results arrived")
        time.sleep(0.05)


def measure(contender, options, broker, with_results):
    broker.delete(QUEUE, REPLIES)
    publish = fill(options, contender.tasks, with_results)
    if contender.measures_itself:
        figures = measure_self(contender, options, with_results)
    else:
        figures = measure_worker(contender, options, broker, with_results)
    broker.delete(QUEUE, REPLIES)
    return figures, publish


# ---- who runs ----


def celery_worker(*arguments):
    return [sys.executable, "-m", "celery", "-A", "proj", "worker", "-Q", QUEUE, "-l", "warning", *arguments]


def contenders(options):
    cores = os.cpu_count() or 1
    consume = [options.bare, "consume", options.url, QUEUE, "{tasks}", str(PREFETCH)]
    found = [
        Contender("librabbitmq in C", consume, options.tasks, measures_itself=True),
        Contender("librabbitmq in C, confirms", consume + ["confirm"], options.tasks, measures_itself=True, variants=(True,)),
    ]
    if options.swcelery:
        for pool, slots in (("tasks", 8), ("processes", cores)):
            command = [options.swcelery, "worker", "-Q", QUEUE, "-c", str(slots), "--prefetch-multiplier", str(max(1, PREFETCH // slots)),
                       "-n", "benchmark@%h", "-l", "warning", "-P", pool, "-b", options.url]
            found.append(Contender(f"swcelery {pool} -c {slots}", command, options.tasks))
    prefork = ["-P", "prefork", "-c", str(cores), "--prefetch-multiplier", str(max(1, PREFETCH // cores))]
    found += [
        Contender(f"Celery prefork -c {cores}", celery_worker(*prefork), options.python_tasks),
        Contender("Celery solo", celery_worker("-P", "solo", "--prefetch-multiplier", str(PREFETCH)), options.python_tasks),
    ]
    return [contender for contender in found if not options.only or options.only in contender.name]


# ---- the report ----


def output_of(command):
    try:
        return subprocess.run(shlex.split(command), capture_output=True, text=True).stdout.strip()
    except OSError:
        return "?"


def cpu_model():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith(("model name", "Model")):
            return line.partition(":")[2].strip()
    return platform.machine()


def print_heading(options, broker):
    server = broker.connection.connection.server_properties
    print(f"machine    {cpu_model()}, {os.cpu_count()} cores shared by broker and worker, {platform.system()} {platform.release()}")
    print(f"broker     RabbitMQ {server['version']}, {server.get('platform', '')}, classic queue, persistent messages")
    print(f"libraries  librabbitmq {output_of('pkg-config --modversion librabbitmq')}, {output_of('swift --version').splitlines()[0]}")
    print(f"Python     {platform.python_version()}, Celery {celery.__version__}, kombu {kombu.__version__}, py-amqp {amqp.__version__}")
    print(f"workload   demo.add(2, 3): {options.tasks} messages, {options.python_tasks} for Python; prefetch {PREFETCH}; "
          f"median of {options.rounds}")
    print()


def median(measurements):
    return Measurement(*(statistics.median(getattr(each, field.name) for each in measurements)
                         for field in dataclasses.fields(Measurement)))


def print_table(running, figures, publishing):
    columns = ["", "tasks/s", "of first", "CPU µs/task", "tasks/s, result", "of first", "CPU µs/task", "PSS MiB"]
    base = {variant: median(figures[running[0].name, variant]).tasks_per_second for variant in running[0].variants}
    rows = []
    for contender in running:
        row = [contender.name]
        for variant in (False, True):
            if variant not in contender.variants:
                row += ["", "", ""]
                continue
            middle = median(figures[contender.name, variant])
            row += [f"{middle.tasks_per_second:,.0f}", f"{middle.tasks_per_second / base[variant]:.2f}", f"{middle.cpu_microseconds:.1f}"]
        rows.append(row + [f"{middle.pss_mib:.1f}"])
    widths = [max(len(row[index]) for row in [columns] + rows) for index in range(len(columns))]
    for row in [columns, ["-" * width for width in widths]] + rows:
        print("| " + " | ".join(cell.ljust(width) if index == 0 else cell.rjust(width)
                                for index, (cell, width) in enumerate(zip(row, widths))) + " |")
    print()
    rates = [each["messages"] / each["seconds"] for each in publishing]
    costs = [each["cpu"] / each["messages"] * 1e6 for each in publishing]
    print(f"Filling the queue from C, every publish confirmed: {statistics.median(rates):,.0f} messages/s, "
          f"{statistics.median(costs):.1f} µs of CPU each.")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", required=True)
    parser.add_argument("--bare", required=True, help="the compiled bare.c")
    parser.add_argument("--swcelery", help="the swcelery executable")
    parser.add_argument("--logs", type=pathlib.Path, required=True, help="a folder for the workers' logs")
    parser.add_argument("--tasks", type=int, default=50_000)
    parser.add_argument("--python-tasks", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", help="contenders whose name contains this")
    options = parser.parse_args()

    broker = Broker(options.url)
    print_heading(options, broker)
    running = contenders(options)
    figures, publishing = {}, []
    for turn in range(options.rounds):
        for contender in running:
            for with_results in contender.variants:
                result, publish = measure(contender, options, broker, with_results)
                figures.setdefault((contender.name, with_results), []).append(result)
                publishing.append(publish)
                print(f"round {turn + 1}  {contender.name}{', results' if with_results else ''}: "
                      f"{result.tasks_per_second:,.0f} tasks/s, {result.cpu_microseconds:.1f} µs", file=sys.stderr, flush=True)
    print_table(running, figures, publishing)


if __name__ == "__main__":
    main()
