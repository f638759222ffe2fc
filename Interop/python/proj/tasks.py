"""The demonstration tasks, one for one as in Sources/swcelery."""
import time

from .celery import app


@app.task(name="demo.add")
def add(x, y):
    return x + y


@app.task(name="demo.mul")
def mul(x, y):
    return x * y


@app.task(name="demo.xsum")
def xsum(numbers):
    return sum(numbers)


@app.task(name="demo.echo")
def echo(*args, **kwargs):
    return {"args": args, "kwargs": kwargs}


@app.task(name="demo.sleep")
def sleep(seconds):
    time.sleep(seconds)
    return seconds


@app.task(name="demo.block")
def block(seconds):
    time.sleep(seconds)
    return seconds


@app.task(name="demo.fail")
def fail(message="boom"):
    raise ValueError(message)


@app.task(name="demo.retry", bind=True, max_retries=None)
def retry(self, times=1, countdown=0.1):
    if self.request.retries < times:
        raise self.retry(countdown=countdown, exc=RuntimeError(f"attempt {self.request.retries + 1}"))
    return self.request.retries


@app.task(name="demo.progress", bind=True)
def progress(self, steps=10, delay=0.05):
    for current in range(1, steps + 1):
        self.update_state(state="PROGRESS", meta={"current": current, "total": steps})
        time.sleep(delay)
    return steps
