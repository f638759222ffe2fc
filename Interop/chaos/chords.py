#!/usr/bin/env python3
"""Chords over AMQP while their collector dies again and again: started by chords.sh.

Chords of a few members and one of many are announced to the collector's queue and sent, half of the members to stock Python workers with
`rpc://` results and half to Swift ones. Of two Swift workers that collect, the one that does is killed at random moments, and the broker is
restarted once while a tenth of the chords miss a member. Every chord's body has to run with the results in order; where one runs twice it has
to be under the same id. Exit status 0 if all holds.
"""
import argparse
import collections
import itertools
import json
import os
import pathlib
import random
import shlex
import signal
import subprocess
import sys
import time
import uuid

import amqp

COLLECTOR = "swcelery.chord.0"
REPLIES = "chord-run-replies"
SOURCES = {"python": "chord-run-python", "swift": "chord-run-swift"}
PATIENCE = 110
INTEROP = pathlib.Path(__file__).resolve().parent.parent


class Process:
    """A worker with its log."""

    def __init__(self, name, command, logs, environment):
        self.name = name
        self.log = logs / f"{name}.log"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment, start_new_session=True)

    def collects(self):
        """Whether the log says last that it collects."""
        said = self.log.read_text(errors="replace")
        return said.rfind("Collecting the results of chords") > said.rfind("are left to the next collector")

    def kill(self, number=signal.SIGKILL):
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)
            self.process.wait()


class Sender:
    """A channel on which everything is confirmed, without a round trip for each message."""

    def __init__(self, address):
        self.connection = amqp.Connection(address, userid="guest", password="guest", heartbeat=0)
        self.connection.connect()
        self.channel = self.connection.channel()
        self.channel.confirm_select()
        self.published = 0
        self.unconfirmed = {}  # in the order of their numbers
        self.channel.events["basic_ack"].add(self._acked)

    def _acked(self, tag, multiple):
        """The broker confirms queue by queue, so the numbers need not come in order."""
        tags = list(itertools.takewhile(lambda number: number <= tag, self.unconfirmed)) if multiple else [tag]
        for number in tags:
            self.unconfirmed.pop(number, None)

    def publish(self, queue, body, **properties):
        message = amqp.Message(
            json.dumps(body), content_type="application/json", content_encoding="utf-8", delivery_mode=2, **properties
        )
        self.published += 1
        self.unconfirmed[self.published] = None
        self.channel.basic_publish(message, exchange="", routing_key=queue)

    def flush(self):
        """Waits for all confirms."""
        self.channel.queue_declare(REPLIES, passive=True)
        deadline = time.monotonic() + 30
        while self.unconfirmed and time.monotonic() < deadline:
            try:
                self.connection.drain_events(timeout=1)
            except TimeoutError:
                pass
        if self.unconfirmed:
            raise RuntimeError(f"{len(self.unconfirmed)} messages were not confirmed")

    def close(self):
        self.connection.close()


class Chord:
    """A chord: its members add zero to their index, its body echoes what it gets."""

    def __init__(self, size, number):
        self.group = str(uuid.uuid4())
        self.members = [str(uuid.uuid4()) for _ in range(size)]
        self.body = str(uuid.uuid4())
        # Callers of every tenth chord's members want to know of them, too.
        self.replies = REPLIES if number % 10 == 0 else None

    @property
    def signature(self):
        options = {"task_id": self.body, "reply_to": REPLIES, "queue": SOURCES["swift"]}
        return {"task": "demo.echo", "args": [], "kwargs": {}, "options": options, "subtask_type": None, "immutable": False}

    def announce(self, sender):
        manifest = {
            "version": 1, "group_id": self.group, "members": [[member, self.replies] for member in self.members],
            "body": self.signature, "root_id": None, "policy": "fail", "deadline": None,
        }
        sender.publish(COLLECTOR, manifest, type="swcelery.chord", correlation_id=self.group, message_id=str(uuid.uuid4()))

    def send(self, sender, indices):
        for index in indices:
            member = self.members[index]
            headers = {
                "lang": "py", "task": "demo.add", "id": member, "root_id": member, "parent_id": None, "group": self.group,
                "group_index": index, "retries": 0, "eta": None, "expires": None, "timelimit": [None, None], "ignore_result": False,
                "argsrepr": "()", "kwargsrepr": "{}", "origin": "chords.py", "shadow": None, "replaced_task_nesting": 0,
                "stamped_headers": None, "stamps": {},
            }
            embed = {"callbacks": None, "errbacks": None, "chain": None, "chord": self.signature}
            queue = SOURCES["python" if index % 2 else "swift"]
            sender.publish(queue, [[index, 0], {}, embed], application_headers=headers, correlation_id=member, reply_to=COLLECTOR)


class Run:
    """Chords, workers, and what becomes of them."""

    def __init__(self, options):
        self.options = options
        self.random = random.Random(options.seed)
        self.url = os.environ["RABBITMQ_URL"]
        self.address = self.url.split("@")[-1].split("/")[0]
        self.environment = {**os.environ, "CELERY_BROKER_URL": self.url}
        self.collectors = {}
        self.started = 0
        self.others = []
        self.kills = 0
        self.was_frozen = False
        self.results = collections.defaultdict(list)
        self.members = set()
        self.unknown = []
        self.chords = [Chord(options.size, number) for number in range(options.chords)]
        self.chords.append(Chord(options.large, 1))
        self.bodies = {chord.body: chord for chord in self.chords}
        self.all_members = {member for chord in self.chords for member in chord.members}

    # ---- processes ----

    def swift(self, name, *arguments):
        command = [self.options.swcelery, "worker", "-n", f"{name}@chords", "-l", "INFO", "-P", "tasks", *arguments]
        return Process(name, command, self.options.logs, self.environment)

    def start_collector(self, place):
        self.started += 1
        # A heartbeat that tells the broker soon of a frozen owner.
        self.collectors[place] = self.swift(f"collector{self.started}", "-Q", f"chord-run-idle-{place}", "broker_heartbeat=2")

    def start(self):
        for place in range(2):
            self.start_collector(place)
        members = ["-Q", SOURCES["swift"], "-c", "8", "worker_collects_chords=false", "result_persistent=true"]
        self.others.append(self.swift("members", *members))
        command = [sys.executable, "-m", "celery", "-A", "chord_members", "worker", "-Q", SOURCES["python"], "-c", "2", "-l", "WARNING"]
        command += ["--without-gossip", "--without-mingle", "--without-heartbeat", "--prefetch-multiplier", "64"]
        self.others.append(Process("python", command, self.options.logs, self.environment))

    def stop(self):
        for process in [*self.collectors.values(), *self.others]:
            process.kill()

    def owner(self):
        """The place of the worker that collects, once there is one."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            for place, process in self.collectors.items():
                if process.collects():
                    return place
            time.sleep(0.05)
        raise RuntimeError("nobody collects")

    def freeze_owner(self):
        """The owner stands still until the broker has given the queue to the other one, and then goes on as if nothing had happened."""
        place = self.owner()
        frozen = self.collectors[place]
        os.killpg(frozen.process.pid, signal.SIGSTOP)
        deadline = time.monotonic() + 30
        while not self.collectors[1 - place].collects() and time.monotonic() < deadline:
            time.sleep(0.1)
        os.killpg(frozen.process.pid, signal.SIGCONT)
        self.was_frozen = self.collectors[1 - place].collects()

    def kill_owner(self):
        time.sleep(self.random.uniform(0.1, 1.2))
        place = self.owner()
        self.collectors[place].kill()
        self.start_collector(place)
        self.kills += 1

    def restart_broker(self):
        for verb in ("stop_app", "start_app"):
            subprocess.run([*shlex.split(os.environ["RABBITMQ_CONTROL"]), verb], check=True, capture_output=True, timeout=120)

    # ---- messages ----

    def declare(self):
        connection = amqp.Connection(self.address, userid="guest", password="guest")
        connection.connect()
        channel = connection.channel()
        arguments = {"x-queue-type": "classic", "x-single-active-consumer": True}
        channel.queue_declare(COLLECTOR, durable=True, auto_delete=False, arguments=arguments)
        for queue in SOURCES.values():
            # As both workers declare them: bound to a direct exchange of their name.
            channel.exchange_declare(queue, "direct", durable=True, auto_delete=False)
            channel.queue_declare(queue, durable=True, auto_delete=False)
            channel.queue_bind(queue, queue, queue)
        channel.queue_declare(REPLIES, durable=True, auto_delete=False)
        connection.close()

    def collect(self, wanted, seconds):
        """Reads results until so many bodies are there; false if that takes too long."""
        connection = amqp.Connection(self.address, userid="guest", password="guest", heartbeat=0)
        connection.connect()
        channel = connection.channel()
        channel.basic_qos(0, 1000, False)

        def receive(message):
            result = json.loads(message.body)
            if result["task_id"] in self.bodies:
                self.results[result["task_id"]].append((result["status"], result["result"]))
            elif result["task_id"] in self.all_members:
                self.members.add(result["task_id"])
            else:
                self.unknown.append(result["task_id"])
            channel.basic_ack(message.delivery_tag)

        channel.basic_consume(REPLIES, callback=receive)
        deadline = time.monotonic() + seconds
        while len(self.results) < wanted and time.monotonic() < deadline:
            try:
                connection.drain_events(timeout=0.5)
            except TimeoutError:
                pass
        connection.close()
        return len(self.results) >= wanted

    # ---- the run ----

    def run(self):
        self.declare()
        self.start()
        sender = Sender(self.address)
        # Every tenth chord misses its last member until the broker has restarted.
        held = self.chords[: len(self.chords) - 1 : 10]
        began = time.monotonic()
        for chord in self.chords:
            chord.announce(sender)
        sender.flush()
        for chord in self.chords:
            chord.send(sender, range(len(chord.members) - (chord in held)))
        sender.flush()
        sender.close()
        print(f"    sent after {time.monotonic() - began:.1f} s", flush=True)
        for _ in range(self.options.kills - 2):
            self.kill_owner()
        self.freeze_owner()
        good = self.collect(len(self.chords) - len(held), PATIENCE)
        print(f"    {len(self.results)} bodies, {self.kills} kills after {time.monotonic() - began:.1f} s", flush=True)
        self.restart_broker()
        print(f"    broker restarted after {time.monotonic() - began:.1f} s", flush=True)
        sender = Sender(self.address)
        for chord in held:
            chord.send(sender, [len(chord.members) - 1])
        sender.flush()
        sender.close()
        while self.kills < self.options.kills:
            self.kill_owner()
        good = self.collect(len(self.chords), PATIENCE) and good
        self.collect(len(self.chords) + 1, 2)  # what is late
        print(f"    {len(self.results)} bodies, {self.kills} kills after {time.monotonic() - began:.1f} s", flush=True)
        return self.verdict()

    def verdict(self):
        checks = {
            "every body has run": len(self.results) == len(self.chords),
            "with the right results, in order": all(
                outcome == ("SUCCESS", {"args": [list(range(len(self.bodies[body].members)))], "kwargs": {}})
                for body, outcomes in self.results.items()
                for outcome in outcomes
            ),
            "under the ids that their senders gave them": not self.unknown,
            "callers of members were told of all of them": all(
                member in self.members for chord in self.chords if chord.replies for member in chord.members
            ),
            "the owner was killed often enough": self.kills >= self.options.kills,
            "the owner was frozen until another one had the queue": self.was_frozen,
        }
        repeated = sum(len(outcomes) - 1 for outcomes in self.results.values())
        for what, holds in checks.items():
            print(f"    {'holds' if holds else 'FAILS'}  {what}")
        print(f"    {len(self.chords)} chords, {len(self.all_members)} members, {self.kills} kills, {repeated} bodies ran twice, with the same id")
        return all(checks.values())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--swcelery", required=True)
    parser.add_argument("--logs", type=pathlib.Path, required=True)
    parser.add_argument("--chords", type=int, default=1000)
    parser.add_argument("--size", type=int, default=10)
    parser.add_argument("--large", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    run = Run(parser.parse_args())
    try:
        good = run.run()
    finally:
        run.stop()
    print(f"{int(good)} passed, {int(not good)} failed")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
