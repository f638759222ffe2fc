"""Tasks with rate limits, and tasks that change how workers treat others: as in Interop/examples/demo/Sources/embeddedworker."""
import time

from .celery import app


@app.task(name="governed.five_a_second", rate_limit="5/s")
def five_a_second():
    return time.time()


@app.task(name="governed.one_an_hour", rate_limit="1/h")
def one_an_hour():
    return time.time()


@app.task(name="governed.revoke")
def revoke(ids, terminate):
    app.control.revoke(ids, terminate=terminate)
    return 0


@app.task(name="governed.revoke_stamped")
def revoke_stamped(name, values):
    app.control.revoke_by_stamped_headers({name: values})
    return 0


@app.task(name="governed.rate_limit")
def rate_limit(task, limit):
    app.control.rate_limit(task, limit)
    return True


@app.task(name="governed.time_limit")
def time_limit(task, hard):
    app.control.time_limit(task, hard=hard)
    return True
