"""How long after the last member's result a caller sees the result of a chord's body, beside a plain round trip. Started by chord_latency.sh.

One Swift worker collects and runs the bodies. The script plays the caller and the members: it announces a chord of so many members, reports all
of them but one, and takes the time from the publish of the last report to the body's result. Plain round trips, a task sent and its result
received, are measured in turn with that.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import time
import uuid

import amqp

COLLECTOR = "swcelery.chord.0"
QUEUE = "chord-latency"
REPLIES = "chord-latency-replies"


class Caller:
    def __init__(self, address):
        self.connection = amqp.Connection(address, userid="guest", password="guest", heartbeat=0)
        self.connection.connect()
        self.channel = self.connection.channel()
        arguments = {"x-queue-type": "classic", "x-single-active-consumer": True}
        self.channel.queue_declare(COLLECTOR, durable=True, auto_delete=False, arguments=arguments)
        self.channel.exchange_declare(QUEUE, "direct", durable=True, auto_delete=False)
        self.channel.queue_declare(QUEUE, durable=True, auto_delete=False)
        self.channel.queue_bind(QUEUE, QUEUE, QUEUE)
        self.channel.queue_declare(REPLIES, auto_delete=False)
        self.results = {}
        self.channel.basic_consume(REPLIES, no_ack=True, callback=self._receive)

    def _receive(self, message):
        result = json.loads(message.body)
        self.results[result["task_id"]] = result

    def publish(self, queue, body, **properties):
        message = amqp.Message(json.dumps(body), content_type="application/json", content_encoding="utf-8", delivery_mode=2, **properties)
        self.channel.basic_publish(message, exchange="", routing_key=queue)

    def wait(self, task_id):
        deadline = time.monotonic() + 60
        while task_id not in self.results:
            if time.monotonic() > deadline:
                raise RuntimeError(f"no result of {task_id}")
            try:
                self.connection.drain_events(timeout=1)
            except TimeoutError:
                pass
        result = self.results.pop(task_id)
        if result["status"] != "SUCCESS":
            raise RuntimeError(f"{task_id}: {result}")
        return result["result"]

    def round_trip(self):
        task = str(uuid.uuid4())
        headers = {"lang": "py", "task": "demo.echo", "id": task, "root_id": task, "retries": 0, "eta": None, "expires": None}
        began = time.perf_counter()
        self.publish(QUEUE, [[1], {}, {}], application_headers=headers, correlation_id=task, reply_to=REPLIES)
        self.wait(task)
        return time.perf_counter() - began

    def report(self, member, value):
        body = {"task_id": member, "status": "SUCCESS", "result": value, "traceback": None, "children": []}
        self.publish(COLLECTOR, body, correlation_id=member)

    def chord(self, size):
        group, task = str(uuid.uuid4()), str(uuid.uuid4())
        members = [str(uuid.uuid4()) for _ in range(size)]
        options = {"task_id": task, "reply_to": REPLIES, "queue": QUEUE}
        body = {"task": "demo.echo", "args": [], "kwargs": {}, "options": options, "subtask_type": None, "immutable": False}
        manifest = {"version": 1, "group_id": group, "members": [[member, REPLIES] for member in members], "body": body, "policy": "fail"}
        self.publish(COLLECTOR, manifest, type="swcelery.chord", correlation_id=group)
        for index, member in enumerate(members[:-1]):
            self.report(member, index)
        for member in members[:-1]:  # the collector has them when their caller has
            self.wait(member)
        began = time.perf_counter()
        self.report(members[-1], size - 1)
        results = self.wait(task)["args"][0]
        taken = time.perf_counter() - began
        if results != list(range(size)):
            raise RuntimeError("wrong results")
        self.wait(members[-1])
        return taken


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--swcelery", required=True)
    parser.add_argument("--logs", type=pathlib.Path, required=True)
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args()
    caller = Caller(options.url.split("@")[-1].split("/")[0])
    command = [options.swcelery, "worker", "-b", options.url, "-Q", QUEUE, "-P", "tasks", "-c", "2", "-l", "WARNING"]
    with (options.logs / "worker.log").open("wb") as log:
        worker = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        for _ in range(20):  # warm
            caller.round_trip()
            caller.chord(2)
        print("| members | chord's end, median ms | p95 ms | plain round trip, median ms | p95 ms | ratio of medians |")
        print("| --- | --- | --- | --- | --- | --- |")
        for size, rounds in ((2, options.rounds), (10, options.rounds), (1000, max(5, options.rounds // 20))):
            plain, chords = [], []
            for _ in range(rounds):
                plain.append(1000 * caller.round_trip())
                chords.append(1000 * caller.chord(size))
            middle = statistics.median(chords), statistics.median(plain)
            tails = [sorted(values)[int(len(values) * 0.95)] for values in (chords, plain)]
            print(f"| {size} | {middle[0]:.2f} | {tails[0]:.2f} | {middle[1]:.2f} | {tails[1]:.2f} | {middle[0] / middle[1]:.2f} |", flush=True)
    finally:
        worker.terminate()
        worker.wait(30)


if __name__ == "__main__":
    main()
