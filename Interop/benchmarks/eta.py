"""What tasks for later cost a worker, and what they cost the tasks for now.

    Interop/broker.sh run python Interop/benchmarks/eta.py --swcelery PATH [--held 100000] [--behind 10000] [--probes 20]

1. Memory: a worker takes `--held` tasks that are due in a quarter of an hour; its resident memory before and after is divided by their number.
2. Latency: a worker with `-c 1` holds `--behind` such tasks, then tasks for now are sent one at a time. Each is timed from its publish to
   the arrival of its result, which is more than the time to its start.

PATH is a release build (`swift build -c release --product swcelery`). Run by hand: it is no test.
"""
import argparse
import contextlib
import datetime
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time
import uuid

import amqp
import kombu

QUEUE = "eta-benchmark"
REPLIES = "eta-benchmark-replies"
EMBED = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
DELAY = 880  # Seconds: just below the worker's limit for holding.
PATIENCE = 900


class Broker:
    def __init__(self, url):
        self.connection = kombu.Connection(url)
        self.connection.connect()
        self.channel = self.connection.default_channel
        for queue in (QUEUE, REPLIES):
            self.channel.queue_delete(queue)
            self.channel.queue_declare(queue, durable=True, auto_delete=False)

    def status(self, queue):
        return self.channel.queue_declare(queue, passive=True)

    def send(self, x, y, eta=None, reply_to=None):
        """A task message as Celery's client sends it."""
        task_id = str(uuid.uuid4())
        headers = {
            "lang": "py", "task": "demo.add", "id": task_id, "shadow": None, "eta": eta, "expires": None, "group": None, "group_index": None,
            "retries": 0, "timelimit": [None, None], "root_id": task_id, "parent_id": None, "argsrepr": repr((x, y)), "kwargsrepr": "{}",
            "origin": f"gen{os.getpid()}@{os.uname().nodename}", "ignore_result": False, "replaced_task_nesting": 0, "stamped_headers": None, "stamps": {},
        }
        message = amqp.Message(
            json.dumps([[x, y], {}, EMBED]), application_headers=headers, content_type="application/json", content_encoding="utf-8",
            delivery_mode=2, priority=0, correlation_id=task_id, reply_to=reply_to or str(uuid.uuid4()),
        )
        self.channel.basic_publish(message, exchange="", routing_key=QUEUE)
        return task_id

    def send_for_later(self, count):
        eta = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=DELAY)).isoformat()
        for number in range(count):
            self.send(number, number + 1, eta)
            # The answer paces the publishing: a broker in flow control would stall the socket for longer than it may be.
            if number % 500 == 0:
                self.status(QUEUE)

    def wait(self, condition, what):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                raise SystemExit(f"{what} did not come true within {PATIENCE} s")
            time.sleep(0.1)

    def round_trip(self):
        """Milliseconds from a publish to its result."""
        done = []
        tag = self.channel.basic_consume(REPLIES, no_ack=True, callback=lambda message: done.append(time.monotonic()))
        start = time.monotonic()
        self.send(1, 2, reply_to=REPLIES)
        while not done:
            self.connection.drain_events(timeout=PATIENCE)
        self.channel.basic_cancel(tag)
        return (done[0] - start) * 1000


@contextlib.contextmanager
def worker(options, broker, concurrency):
    with tempfile.TemporaryFile() as log:
        command = [options.swcelery, "worker", "-Q", QUEUE, "-c", str(concurrency), "-P", "tasks", "-l", "warning", "-b", options.url]
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        try:
            broker.wait(lambda: broker.status(QUEUE).consumer_count > 0, "the worker's consumer")
            yield process.pid
            if process.poll() is not None:
                log.seek(0)
                raise SystemExit(f"the worker has ended:\n{log.read().decode(errors='replace')}")
        finally:
            process.kill()
            process.wait()
    broker.wait(lambda: broker.status(QUEUE).consumer_count == 0, "the end of the worker's consumer")
    broker.channel.queue_purge(QUEUE)


def resident(pid):
    """Bytes of resident memory."""
    lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Rss:")) * 1024


def measure_memory(options, broker):
    with worker(options, broker, concurrency=8) as pid:
        for _ in range(200):
            broker.round_trip()
        before = resident(pid)
        start = time.monotonic()
        broker.send_for_later(options.held)
        published = time.monotonic() - start
        broker.wait(lambda: broker.status(QUEUE).message_count == 0, "the worker has taken all of them")
        taken = time.monotonic() - start
        time.sleep(2)
        after = resident(pid)
    return before, after, published, taken


def measure_latency(options, broker):
    with worker(options, broker, concurrency=1):
        idle = [broker.round_trip() for _ in range(options.probes)]
        start = time.monotonic()
        broker.send_for_later(options.behind)
        broker.wait(lambda: broker.status(QUEUE).message_count == 0, "the worker has taken all of them")
        taken = time.monotonic() - start
        behind = [broker.round_trip() for _ in range(options.probes)]
    return idle, behind, taken


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default=os.environ.get("RABBITMQ_URL"), required="RABBITMQ_URL" not in os.environ)
    parser.add_argument("--swcelery", default=os.environ.get("SWCELERY"), required="SWCELERY" not in os.environ)
    parser.add_argument("--held", type=int, default=100_000)
    parser.add_argument("--behind", type=int, default=10_000)
    parser.add_argument("--probes", type=int, default=20)
    options = parser.parse_args()
    broker = Broker(options.url)

    idle, behind, taken = measure_latency(options, broker)
    print(f"{'-c 1, publish to result of a task for now':52}{'median':>10}{'longest':>10}")
    for name, times in (("no task is held", idle), (f"{options.behind:,} tasks are held (taken in {taken:.1f} s)", behind)):
        print(f"  {name:50}{statistics.median(times):7.1f} ms{max(times):7.1f} ms")

    before, after, published, taken = measure_memory(options, broker)
    print(f"{'resident memory of the worker':52}{'MiB':>10}{'each':>10}")
    print(f"  {'no task is held':50}{before / 2**20:10.1f}")
    grown = (after - before) / options.held
    print(f"  {f'{options.held:,} tasks are held (taken in {taken:.1f} s)':50}{after / 2**20:10.1f}{grown:8.0f} B")
    print(f"  (published in {published:.1f} s)")
    for queue in (QUEUE, REPLIES):
        broker.channel.queue_delete(queue)


if __name__ == "__main__":
    main()
