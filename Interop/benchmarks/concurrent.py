"""Many tasks at a time, each of which only waits: how long a full queue takes, and what memory.

    Interop/broker.sh run python Interop/benchmarks/concurrent.py --swcelery PATH [--tasks 10000] [--seconds 1] [--rounds 3]

A worker with `-P tasks -c TASKS` is started on a queue with as many tasks, each of which sleeps for some seconds. The time is taken from the
start of its process, and from the first message that it takes, to the last result in the reply queue. VmHWM is the most memory that was
resident, PSS the largest share seen (what is shared with other processes counts in part).

PATH is a release build (`swift build -c release --product swcelery`). Run by hand: it is no test.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import uuid

import amqp
import kombu

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "scenarios"))

from processes import pss, status  # noqa: E402

QUEUE = "concurrent-benchmark"
REPLIES = "concurrent-benchmark-replies"
EMBED = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
PATIENCE = 120


class Broker:
    def __init__(self, url):
        self.connection = kombu.Connection(url)
        self.connection.connect()
        self.channel = self.connection.default_channel
        for queue in (QUEUE, REPLIES):
            self.channel.queue_delete(queue)
            self.channel.queue_declare(queue, durable=True, auto_delete=False)

    def depth(self, queue):
        return self.channel.queue_declare(queue, passive=True).message_count

    def fill(self, tasks, seconds):
        body = json.dumps([[seconds], {}, EMBED])
        for _ in range(tasks):
            task_id = str(uuid.uuid4())
            headers = {
                "lang": "py", "task": "demo.sleep", "id": task_id, "shadow": None, "eta": None, "expires": None, "group": None, "group_index": None,
                "retries": 0, "timelimit": [None, None], "root_id": task_id, "parent_id": None, "argsrepr": repr((seconds,)), "kwargsrepr": "{}",
                "origin": "benchmark", "ignore_result": False, "replaced_task_nesting": 0, "stamped_headers": None, "stamps": {},
            }
            message = amqp.Message(
                body, application_headers=headers, content_type="application/json", content_encoding="utf-8", delivery_mode=2, priority=0,
                correlation_id=task_id, reply_to=REPLIES)
            self.channel.basic_publish(message, exchange="", routing_key=QUEUE)
        wait(lambda: self.depth(QUEUE) == tasks)

    def close(self):
        for queue in (QUEUE, REPLIES):
            self.channel.queue_delete(queue)
        self.connection.close()


def wait(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError("it takes too long")
        time.sleep(0.01)


def measure(options, url, log):
    broker = Broker(url)
    broker.fill(options.tasks, options.seconds)
    command = [options.swcelery, "worker", "-P", "tasks", "-c", str(options.tasks), "-Q", QUEUE, "-l", "warning", "-b", url]
    start = time.monotonic()
    worker = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait(lambda: broker.depth(QUEUE) < options.tasks)
        first = time.monotonic()
        share = 0

        def is_done():
            nonlocal share
            share = max(share, pss(worker.pid))
            return broker.depth(REPLIES) == options.tasks

        wait(is_done)
        end = time.monotonic()
        peak = status(worker.pid, "VmHWM")
        threads = status(worker.pid, "Threads")
    finally:
        worker.terminate()
        worker.wait(30)
        broker.close()
    print(f"{options.tasks} tasks of {options.seconds:g} s: {end - start:.2f} s from the start of the process, {end - first:.2f} s from the first message; "
          f"VmHWM {peak / 1024:.1f} MiB, PSS {share / 1024:.1f} MiB, {threads} threads", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--swcelery", required=True, help="a release build")
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--url")
    options = parser.parse_args()
    url = options.url or os.environ["RABBITMQ_URL"]
    with tempfile.TemporaryFile() as log:
        for _ in range(options.rounds):
            measure(options, url, log)


if __name__ == "__main__":
    main()
