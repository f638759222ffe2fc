"""The Python client of the demonstration: calls Swift's tasks, and goes through both languages in one chain."""
import os
import sys
import time

from celery import chain

from .tasks import add, fail, mul, progress, retry

TIMEOUT = 30


class Steps:
    """Runs the steps one by one and prints how each went."""

    def __init__(self):
        self.passed = self.total = 0

    def __call__(self, title, body):
        self.total += 1
        try:
            detail = body()
        except Exception as error:  # whatever it is, the next step runs
            clear_bar()
            print(f"  failed  {title}: {error!r}", flush=True)
        else:
            self.passed += 1
            print(f"  ok      {title}{detail or ''}", flush=True)

    def write_summary(self):
        """`passed total` for the script that adds everything up."""
        path = os.environ.get("DEMO_SUMMARY")
        if path:
            with open(path, "w") as file:
                print(self.passed, self.total, file=file)


def show_bar(title, done, total, width=30):
    if sys.stdout.isatty():
        filled = width * done // total
        print(f"\r  [{'#' * filled}{'.' * (width - filled)}] {done}/{total} {title}", end="", flush=True)


def clear_bar():
    if sys.stdout.isatty():
        print("\r\x1b[K", end="", flush=True)


def expect(value, wanted):
    if value != wanted:
        raise AssertionError(f"{value!r} instead of {wanted!r}")


def call():
    expect(add.delay(2, 3).get(timeout=TIMEOUT), 5)


def both_queues():
    expect(mul.apply_async((6, 7), queue="low-priority").get(timeout=TIMEOUT), 42)


def failure():
    result = fail.delay("no such luck")
    try:
        result.get(timeout=TIMEOUT)
    except ValueError as error:
        expect(error.args, ("no such luck",))
    else:
        raise AssertionError("the call succeeded")


def progress_states():
    seen = []
    result = progress.delay(5, 0.05)
    expect(result.get(timeout=TIMEOUT, on_message=lambda message: seen.append((message["status"], message["result"]))), 5)
    expect([meta["current"] for state, meta in seen if state == "PROGRESS"], [1, 2, 3, 4, 5])


def retries():
    states = []
    expect(retry.delay(2, 0.1).get(timeout=TIMEOUT, on_message=lambda message: states.append(message["status"])), 2)
    expect(states.count("RETRY"), 2)


def mixed_chain():
    steps = chain(add.s(2, 3).set(queue="python"), mul.s(10).set(queue="celery"), add.s(1).set(queue="python"), mul.s(2).set(queue="low-priority"))
    expect(steps.apply_async().get(timeout=TIMEOUT), 102)


def burst(count=2000):
    title = "a burst from Python to Swift"
    start = time.monotonic()
    results = []
    for number in range(count):
        results.append(add.delay(number, number))
        if number % 20 == 19:
            show_bar(f"{title}, sent", number + 1, count)
    for number, result in enumerate(results):
        expect(result.get(timeout=120), 2 * number)
        if number % 20 == 19:
            show_bar(f"{title}, answered", number + 1, count)
    clear_bar()
    return f", {count / (time.monotonic() - start):.0f} per second"


def main():
    step = Steps()
    step("Python add.delay(2, 3).get() is answered by Swift", call)
    step("the same Swift worker serves low-priority", both_queues)
    step("a Swift ValueError is a ValueError in Python", failure)
    step("the progress of a Swift task, as it goes", progress_states)
    step("a Swift task that is retried twice", retries)
    step("one chain: Python, Swift, Python, Swift", mixed_chain)
    step("a burst of 2000 tasks from Python to Swift", burst)
    step.write_summary()


if __name__ == "__main__":
    main()
