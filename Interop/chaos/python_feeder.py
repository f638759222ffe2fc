"""The Python caller of the chaos run: `python_feeder.py QUEUE JOURNAL SEED IN_FLIGHT RATE`.

Sends numbered tasks until its standard input ends, and tells the journal what it did and saw: `sent`, `confirmed`, `refused` (and why;
the same task is sent again), `result`, `wrong`, `finishing`.
"""
import os
import random
import select
import sys
import time
import uuid

from celery import Celery

from journal import Writer

PATIENCE = 10  # so long a task without a result holds its place
FAREWELL = 20  # so long the last results are waited for
PAUSE_AFTER_ERROR = 0.2
ERRORS_FOR_A_NEW_APP = 5


def make_app():
    app = Celery("chaos", broker=os.environ["CELERY_BROKER_URL"], backend="rpc://", set_as_current=False)
    app.conf.update(broker_transport_options={"confirm_publish": True}, result_persistent=True)
    return app


def input_has_ended():
    readable, _, _ = select.select([sys.stdin], [], [], 0)
    return bool(readable) and not os.read(sys.stdin.fileno(), 4096)


class Feeder:
    def __init__(self, queue, journal, seed, in_flight, rate):
        self.queue = queue
        self.journal = journal
        self.random = random.Random(seed)
        self.in_flight = in_flight
        self.pause = 1 / rate
        self.app = make_app()
        self.errors = 0
        self.number = 0
        self.waiting = {}

    def run(self):
        due = time.monotonic()
        while not input_has_ended():
            if time.monotonic() >= due and self.busy < self.in_flight:
                due = time.monotonic() + self.pause
                self.send()
            self.drain(0.005)
        self.journal("finishing", self.number)
        deadline = time.monotonic() + FAREWELL
        while self.waiting and time.monotonic() < deadline:
            self.drain(0.1)

    @property
    def busy(self):
        oldest = time.monotonic() - PATIENCE
        return sum(since > oldest for since in self.waiting.values())

    def milliseconds(self):
        return self.random.randrange(2000, 8000) if self.random.randrange(100) == 0 else self.random.randrange(5, 155)

    def send(self):
        self.number += 1
        label, task_id, arguments = f"p{self.number}", str(uuid.uuid4()), self.milliseconds()
        self.journal("sent", label, task_id)
        while True:
            try:
                result = self.app.send_task("chaos.record", (label, arguments), queue=self.queue, task_id=task_id)
                break
            except Exception as error:  # whatever it is, an application would send the task again
                self.journal("refused", label, repr(error))
                self.recover()
        self.errors = 0
        self.journal("confirmed", label)
        self.waiting[label] = time.monotonic()
        try:  # this consumes, so it fails where the connection for results has just been lost; the task is sent all the same
            result.then(lambda result: self.answered(label, result))
        except Exception as error:
            self.trouble(error)

    def recover(self):
        self.errors += 1
        time.sleep(PAUSE_AFTER_ERROR)
        if self.errors % ERRORS_FOR_A_NEW_APP == 0:
            self.app = make_app()

    def answered(self, label, result):
        if self.waiting.pop(label, None) is not None:
            self.journal("result" if result.result == label else "wrong", label)

    def drain(self, seconds):
        try:
            self.app.backend.result_consumer.drain_events(timeout=seconds)
        except TimeoutError:
            pass
        except Exception as error:  # the consumer is set up again with the next task
            self.trouble(error)

    def trouble(self, error):
        self.journal("trouble", "-", repr(error))
        time.sleep(PAUSE_AFTER_ERROR)


def main(queue, path, seed, in_flight, rate):
    Feeder(queue, Writer(path), int(seed), int(in_flight), float(rate)).run()
    os._exit(0)  # Celery's own clean-up may wait for a broker


if __name__ == "__main__":
    main(*sys.argv[1:])
