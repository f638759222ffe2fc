"""Flower, as it is installed from PyPI, shows and steers Swift workers. Its HTTP API is what its buttons call."""
import pytest

import harness
from dashboard import Dashboard, Refused
from harness import PATIENCE, eventually, unique

HOST = harness.HOSTNAME


@pytest.fixture(scope="module")
def flower(tmp_path_factory):
    dashboard = Dashboard(tmp_path_factory.mktemp("flower"))
    try:
        yield dashboard.wait_until_ready()
    finally:
        dashboard.end()


class Fleet:
    """Workers that Flower has found."""

    def __init__(self, flower, start):
        self.flower = flower
        self.start_worker = start

    def start(self, concurrency=2, settings=(), arguments=()):
        """A worker with child processes, which is what Celery's own has."""
        name = unique("node")
        settings = [*(["--"] if harness.STAND_IN and settings else []), *settings]
        worker = self.start_worker(
            name=name, concurrency=concurrency, arguments=["-P", "prefork", "-E", *arguments, *settings])
        worker.node = f"{name}@{HOST}"
        eventually(lambda: self.is_known(worker.node), PATIENCE, f"Flower knows {worker.node}")
        return worker

    def is_known(self, node):
        row = self.flower.row(node)
        try:
            return row and row["status"] and "stats" in self.flower.worker(node)
        except (Refused, KeyError):
            return False

    def pool_size(self, worker):
        """How many children there are; Celery's `max-concurrency` stays what it was at the start."""
        return len(self.flower.worker(worker.node)["stats"]["pool"]["processes"])

    def wait_for_pool_size(self, worker, size):
        eventually(lambda: self.pool_size(worker) == size, PATIENCE, f"a pool of {size}", interval=0.5)

    def wait_for_state(self, task_id, state):
        return eventually(
            lambda: (task := self.flower.task(task_id)).get("state") == state and task, PATIENCE,
            f"Flower shows {task_id} as {state}", interval=0.2)


@pytest.fixture
def fleet(flower, start_swift):
    return Fleet(flower, start_swift)


def test_a_worker_with_its_tabs(flower, fleet):
    worker = fleet.start(concurrency=2)
    known = flower.worker(worker.node)
    stats = known["stats"]
    assert stats["pool"]["max-concurrency"] == 2
    assert len(stats["pool"]["processes"]) == 2
    assert {"implementation", "max-tasks-per-child", "timeouts", "put-guarded-by-semaphore"} <= stats["pool"].keys()
    assert stats["pid"] == worker.process.pid
    assert {"hostname", "userid", "virtual_host", "port", "transport", "heartbeat", "ssl"} <= stats["broker"].keys()
    assert {"utime", "stime", "maxrss", "nvcsw"} <= stats["rusage"].keys()
    assert stats["prefetch_count"] > 0 and stats["uptime"] >= 0 and stats["clock"].isdigit()
    assert [queue["name"] for queue in known["active_queues"]] == worker.queues
    assert {"exclusive", "durable", "routing_key", "no_ack", "alias", "queue_arguments", "binding_arguments", "auto_delete"} <= \
        known["active_queues"][0].keys()
    assert any(name.startswith("demo.add") for name in known["registered"])
    assert known["active"] == known["scheduled"] == known["reserved"] == known["revoked"] == []
    assert known["conf"]["broker_url"] and "guest:guest" not in known["conf"]["broker_url"]
    page = flower.page(f"/worker/{worker.node}")
    assert "Worker pool options" in page and worker.queue in page and "demo.add" in page
    row = flower.row(worker.node)
    assert row["status"] is True and len(row["loadavg"]) == 3


def test_lists_of_tasks_in_a_worker(flower, fleet, app):
    worker = fleet.start(concurrency=1)
    running = app.send_task("demo.sleep", (20,), queue=worker.queue, argsrepr="(20,)")
    worker.wait_for_log(rf"\[{running.id}\] received")
    waiting = app.send_task("demo.add", (1, 2), queue=worker.queue)
    held = app.send_task("demo.add", (3, 4), queue=worker.queue, countdown=600)
    worker.wait_for_log(rf"\[{held.id}\] received")
    known = flower.worker(worker.node)
    assert [(task["id"], task["name"], task["acknowledged"]) for task in known["active"]] == [(running.id, "demo.sleep", True)]
    assert known["active"][0]["worker_pid"] in known["stats"]["pool"]["processes"]
    assert [entry["request"]["id"] for entry in known["scheduled"]] == [held.id]
    assert waiting.id in [task["id"] for task in known["reserved"]]
    page = flower.page(f"/worker/{worker.node}")
    assert running.id in page and held.id in page
    flower.post(f"/api/task/revoke/{held.id}")
    eventually(lambda: held.id in flower.worker(worker.node)["revoked"], PATIENCE, "the revoked id is shown", interval=0.5)
    flower.post(f"/api/task/revoke/{running.id}", terminate="true")


def test_tasks(flower, fleet, app):
    worker = fleet.start()
    good = app.send_task("demo.add", (2, 3), queue=worker.queue)
    bad = app.send_task("demo.fail", ("no luck",), queue=worker.queue)
    again = app.send_task("demo.retry", (1,), queue=worker.queue)
    task = fleet.wait_for_state(good.id, "SUCCESS")
    assert (task["name"], task["args"], task["kwargs"], task["result"]) == ("demo.add", "(2, 3)", "{}", "5")
    assert task["worker"] == worker.node and task["root_id"] == good.id
    assert task["received"] <= task["started"] <= task["succeeded"] and task["runtime"] >= 0
    task = fleet.wait_for_state(bad.id, "FAILURE")
    assert "no luck" in task["exception"] and "ValueError" in task["exception"] and task["traceback"]
    task = fleet.wait_for_state(again.id, "SUCCESS")
    assert task["retries"] == 1 and task["retried"]
    assert flower.get(f"/api/task/info/{good.id}")["state"] == "SUCCESS"
    page = flower.page(f"/task/{bad.id}")
    assert "demo.fail" in page and "no luck" in page
    assert flower.get("/api/task/types")["task-types"]
    eventually(lambda: flower.row(worker.node)["task-succeeded"] >= 2, PATIENCE, "the counts of the first page")
    assert flower.worker(worker.node)["stats"]["total"]["demo.add"] == 1


def test_grow_and_shrink(flower, fleet):
    worker = fleet.start(concurrency=2)
    flower.post(f"/api/worker/pool/grow/{worker.node}", n=2)
    fleet.wait_for_pool_size(worker, 4)
    flower.post(f"/api/worker/pool/shrink/{worker.node}", n=3)
    fleet.wait_for_pool_size(worker, 1)


def test_autoscale(flower, fleet):
    worker = fleet.start(concurrency=2, arguments=["--autoscale", "3,1"])
    assert flower.worker(worker.node)["stats"]["autoscaler"]["max"] == 3
    assert flower.post(f"/api/worker/pool/autoscale/{worker.node}", min=2, max=5)
    scaler = flower.worker(worker.node)["stats"]["autoscaler"]
    assert (scaler["min"], scaler["max"]) == (2, 5)


def test_autoscale_of_a_pool_of_fixed_size(flower, fleet):
    worker = fleet.start(concurrency=2)
    with pytest.raises(Refused, match="403"):
        flower.post(f"/api/worker/pool/autoscale/{worker.node}", min=2, max=5)


def test_consumers(flower, fleet, wire, app):
    worker = fleet.start()
    queue = unique("added")
    wire.created.append(queue)
    assert queue in flower.post(f"/api/worker/queue/add-consumer/{worker.node}", queue=queue)
    eventually(lambda: wire.consumers(queue) == 1, PATIENCE, "the worker consumes from the new queue")
    assert queue in [known["name"] for known in flower.worker(worker.node)["active_queues"]]
    assert app.send_task("demo.add", (1, 2), queue=queue).get(timeout=PATIENCE) == 3
    assert queue in flower.post(f"/api/worker/queue/cancel-consumer/{worker.node}", queue=queue)
    eventually(lambda: wire.consumers(queue) == 0, PATIENCE, "the worker consumes no longer")
    eventually(
        lambda: queue not in [known["name"] for known in flower.worker(worker.node)["active_queues"]], PATIENCE, "Flower shows it", interval=0.5)


def test_limits(flower, fleet, app):
    worker = fleet.start()
    assert flower.post("/api/task/rate-limit/demo.mul", workername=worker.node, ratelimit="12/h") == "new rate limit set successfully"
    assert "demo.mul [rate_limit=12/h]" in flower.worker(worker.node)["registered"]
    with pytest.raises(Refused, match="Invalid rate limit string"):
        flower.post("/api/task/rate-limit/demo.mul", workername=worker.node, ratelimit="often")
    assert flower.post("/api/task/timeout/demo.block", workername=worker.node, hard=1, soft=0.5) == "time limits set successfully"
    if not harness.STAND_IN:  # Celery's workers answer the same, but go on without limits where the task had none before
        late = app.send_task("demo.block", (120,), queue=worker.queue)
        assert "TimeLimitExceeded" in fleet.wait_for_state(late.id, "FAILURE")["exception"]


def test_revoke(flower, fleet, app):
    worker = fleet.start()
    task = app.send_task("demo.add", (1, 2), queue=worker.queue, countdown=5)
    fleet.wait_for_state(task.id, "RECEIVED")
    assert task.id in flower.post(f"/api/task/revoke/{task.id}")
    assert fleet.wait_for_state(task.id, "REVOKED")["revoked"]


def test_terminate(flower, fleet, app):
    worker = fleet.start()
    task = app.send_task("demo.block", (300,), queue=worker.queue)
    fleet.wait_for_state(task.id, "STARTED")
    flower.post(f"/api/task/revoke/{task.id}", terminate="true", signal="SIGKILL")
    fleet.wait_for_state(task.id, "REVOKED")
    assert app.send_task("demo.add", (1, 2), queue=worker.queue).get(timeout=PATIENCE) == 3


def test_a_pool_restart(flower, fleet, app):
    worker = fleet.start(settings=["worker.pool_restarts=1"])
    before = flower.worker(worker.node)["stats"]["pool"]["processes"]
    assert "Restarting" in flower.post(f"/api/worker/pool/restart/{worker.node}")

    def restarted():
        now = flower.worker(worker.node)["stats"]["pool"]["processes"]
        # Celery's workers replace one of them.
        return len(now) == len(before) and (set(now) != set(before) if harness.STAND_IN else not set(now) & set(before))

    eventually(restarted, PATIENCE, "other children", interval=0.5)
    assert app.send_task("demo.add", (1, 2), queue=worker.queue).get(timeout=PATIENCE) == 3


def test_a_pool_restart_that_is_not_enabled(flower, fleet):
    worker = fleet.start()
    with pytest.raises(Refused, match="Pool restarts not enabled"):
        flower.post(f"/api/worker/pool/restart/{worker.node}")


def test_a_shutdown(flower, fleet):
    worker = fleet.start()
    assert flower.post(f"/api/worker/shutdown/{worker.node}") == "Shutting down!"
    assert worker.wait(PATIENCE) == 0
    eventually(lambda: flower.row(worker.node)["status"] is False, PATIENCE, "Flower shows it as offline")
