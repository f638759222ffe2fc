"""The app of the workers in these tests."""
import os
import time

from celery import Celery, chain, group

app = Celery("chordapp", broker=os.environ.get("CELERY_BROKER_URL"), backend=os.environ.get("CHORD_BACKEND", "swcelery_chords:ChordRPCBackend"))
app.conf.update(
    broker_connection_retry_on_startup=True,
    chord_queue_prefix=os.environ.get("CHORD_PREFIX", "swcelery.chord"),
    chord_queues=int(os.environ.get("CHORD_QUEUES", "1")),
    task_default_queue=os.environ.get("CHORD_TASK_QUEUE", "chordapp"),
)


@app.task(name="t.add")
def add(x, y):
    return x + y


@app.task(name="t.ignored", ignore_result=True)
def ignored(x):
    return x


@app.task(name="t.sum")
def total(numbers):
    return sum(numbers)


@app.task(name="t.list")
def everything(numbers):
    return numbers


@app.task(name="t.fail")
def fail(*_):
    raise ValueError("no")


@app.task(name="t.ignored_fail", ignore_result=True)
def ignored_fail(*_):
    raise ValueError("ignored no")


@app.task(name="t.sleep")
def sleep(seconds):
    time.sleep(seconds)
    return seconds


@app.task(name="t.retry", bind=True, max_retries=None)
def retry(self, x):
    if self.request.retries < 2:
        raise self.retry(countdown=0)
    return x


@app.task(name="t.replace", bind=True)
def replace(self, x):
    return self.replace(add.s(x, 1))


@app.task(name="t.replace_ignored", bind=True)
def replace_ignored(self, x):
    return self.replace(ignored.s(x))


@app.task(name="t.replace_chain", bind=True)
def replace_chain(self, x):
    return self.replace(chain(add.s(x, 1), add.s(1)))


@app.task(name="t.replace_group", bind=True)
def replace_group(self, x):
    return self.replace(group(add.s(x, 1), add.s(x, 2)))


@app.task(name="t.send_chord", bind=True)
def send_chord(self, x):
    return (group(add.s(x, 1), add.s(x, 2)) | total.s()).apply_async().id
