"""A worker as a service: pidfile, log file, detached start, restart, settings from files, and the service manager."""
import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

import pytest

from harness import BROKER_URL, PATIENCE, SWCELERY, TIMEOUT, eventually, unique

pytestmark = pytest.mark.beyond_celery


def run(*arguments, **variables):
    """The command line with these arguments, run to its end."""
    return subprocess.run(
        [SWCELERY, *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE, env=dict(os.environ, CELERY_BROKER_URL=BROKER_URL) | variables,
    )


def is_alive(process):
    """Whether the process runs; a zombie does not."""
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def descriptors(process):
    folder = pathlib.Path(f"/proc/{process}/fd")
    return sorted(os.readlink(entry).split(":")[0] for entry in folder.iterdir())


class Daemon:
    """A detached worker."""

    def __init__(self, folder, wire, arguments=(), queue=None):
        self.folder = folder
        self.wire = wire
        self.queue = queue or unique("daemon")
        self.pidfile = folder / "w.pid"
        self.log = folder / "w.log"
        self.command = [
            "worker", "--detach", "-n", "w@%h", "-Q", self.queue, "-c", "4", "-l", "info", "--pidfile", folder / "%n.pid", "--logfile", folder / "%n%I.log",
            *arguments,
        ]

    def start(self, **variables):
        return run(*self.command, **variables)

    @property
    def process(self):
        return int(self.pidfile.read_text())

    def signal(self, number):
        os.kill(self.process, number)

    def wait_for_log(self, pattern):
        return eventually(lambda: self.log.exists() and re.search(pattern, self.log.read_text()), PATIENCE, f"{pattern!r} in the log")

    def stop(self):
        process = self.process
        os.kill(process, signal.SIGTERM)
        eventually(lambda: not is_alive(process), PATIENCE, "the worker has ended")


@pytest.fixture
def daemon(tmp_path, wire):
    made = []

    def make(*arguments, **options):
        made.append(Daemon(tmp_path, wire, arguments, **options))
        return made[-1]

    yield make
    for one in made:
        with contextlib.suppress(OSError, ValueError):
            os.kill(one.process, signal.SIGKILL)
        wire.delete(one.queue)


def test_detached_worker_lives_on_in_a_session_of_its_own(app, wire, daemon):
    worker = daemon()
    started = worker.start()
    assert (started.returncode, started.stderr) == (0, "")
    assert wire.consumers(worker.queue) == 1, "the command ends when the worker consumes"
    process = worker.process
    assert os.getsid(process) == process
    assert os.readlink(f"/proc/{process}/fd/0") == "/dev/null"
    assert os.readlink(f"/proc/{process}/fd/1") == os.readlink(f"/proc/{process}/fd/2") == str(worker.log)
    assert app.send_task("demo.add", (2, 3), queue=worker.queue).get(timeout=TIMEOUT) == 5
    worker.wait_for_log(r"succeeded in")
    worker.stop()
    assert not worker.pidfile.exists()


def test_detached_worker_that_does_not_come_up_says_why(daemon):
    worker = daemon("worker_concurency=1")
    started = worker.start()
    assert started.returncode == 2
    assert "did you mean 'worker_concurrency'?" in started.stderr
    assert not worker.pidfile.exists()


def test_pidfile_keeps_a_second_worker_from_starting(app, daemon):
    worker = daemon()
    assert worker.start().returncode == 0
    process = worker.process
    second = worker.start()
    assert second.returncode == 73
    assert f"Seems we're already running? (pid: {process})" in second.stderr
    assert worker.process == process and is_alive(process)
    assert app.send_task("demo.add", (2, 3), queue=worker.queue).get(timeout=TIMEOUT) == 5
    os.kill(process, signal.SIGKILL)
    eventually(lambda: not is_alive(process))
    assert worker.process == process, "nobody was there to remove it"
    assert worker.start().returncode == 0
    assert worker.process != process
    worker.wait_for_log("Stale pidfile exists - Removing it.")
    worker.stop()


def test_hang_up_restarts_under_the_same_process_id(app, wire, daemon):
    """What runs is finished first; nothing is left behind, however often."""
    worker = daemon("--prefetch-multiplier", "1")
    assert worker.start().returncode == 0
    process = worker.process
    before = descriptors(process)
    running = [app.send_task("demo.sleep", (1.5,), queue=worker.queue) for _ in range(4)]
    eventually(lambda: len(re.findall("received", worker.log.read_text())) == 4)
    waiting = [app.send_task("demo.sleep", (0.1,), queue=worker.queue) for _ in range(8)]
    for number in range(1, 4):
        worker.signal(signal.SIGHUP)
        eventually(lambda: len(re.findall(r"w@\S+ ready\.", worker.log.read_text())) == number + 1, PATIENCE, "it is there again")
        assert worker.process == process and is_alive(process)
    assert [result.get(timeout=TIMEOUT) for result in running + waiting] == [1.5] * 4 + [0.1] * 8
    received = re.findall(r"Task \S+\[(\S+)\] received", worker.log.read_text())
    assert all(received.count(result.id) == 1 for result in running)
    assert len(descriptors(process)) <= len(before) + 1
    assert len(re.findall(r"Restarting celery worker", worker.log.read_text())) == 3
    worker.stop()
    assert not worker.pidfile.exists()
    assert wire.ready(worker.queue) == 0


def test_hang_up_takes_over_a_replaced_executable_path(daemon, tmp_path):
    """A new version is installed, and the old process becomes it."""
    executable = tmp_path / "swcelery-link"
    executable.symlink_to(SWCELERY)
    worker = daemon()
    assert subprocess.run([executable, *map(str, worker.command)], env=dict(os.environ, CELERY_BROKER_URL=BROKER_URL), timeout=PATIENCE).returncode == 0
    process = worker.process
    executable.unlink()
    executable.write_text(f"#!/bin/sh\necho new version\nexec {SWCELERY} \"$@\"\n")
    executable.chmod(0o755)
    worker.signal(signal.SIGHUP)
    worker.wait_for_log(r"new version[\s\S]*ready\.")
    assert worker.process == process
    worker.stop()


def test_hang_up_then_terminate_ends(app, daemon):
    """Who wants the end in the middle of a restart gets it."""
    worker = daemon()
    assert worker.start().returncode == 0
    result = app.send_task("demo.sleep", (2.0,), queue=worker.queue)
    worker.wait_for_log("received")
    process = worker.process
    worker.signal(signal.SIGHUP)
    worker.wait_for_log("Restarting celery worker")
    worker.signal(signal.SIGTERM)
    eventually(lambda: not is_alive(process), PATIENCE)
    assert result.get(timeout=TIMEOUT) == 2.0
    assert not worker.pidfile.exists()


def test_user_signal_lists_what_runs_at_any_log_level(app, daemon):
    worker = daemon("-l", "critical", "task_acks_late=1")
    assert worker.start().returncode == 0
    results = [app.send_task("demo.sleep", (3.0,), queue=worker.queue) for _ in range(2)]
    deadline = time.monotonic() + PATIENCE
    while "2 running tasks" not in worker.log.read_text() and time.monotonic() < deadline:
        worker.signal(signal.SIGUSR1)
        time.sleep(0.2)
    report = worker.log.read_text()
    for result in results:
        assert re.search(rf"  demo\.sleep\[{result.id}\] since \d\S+Z, \d+ s.*, late acknowledgement", report)
    assert [result.get(timeout=TIMEOUT) for result in results] == [3.0] * 2
    worker.stop()


def test_log_that_is_moved_away_is_begun_anew(app, daemon):
    worker = daemon()
    assert worker.start().returncode == 0
    moved = worker.folder / "w.log.1"
    worker.log.rename(moved)
    result = app.send_task("demo.add", (2, 3), queue=worker.queue)
    assert result.get(timeout=TIMEOUT) == 5
    worker.wait_for_log(re.escape(result.id))
    assert result.id not in moved.read_text()
    os.truncate(worker.log, 0)
    other = app.send_task("demo.add", (2, 3), queue=worker.queue)
    assert other.get(timeout=TIMEOUT) == 5
    worker.wait_for_log(re.escape(other.id))
    assert "\0" not in worker.log.read_text()
    worker.stop()
    assert "Shutting down" in worker.log.read_text()


def test_crash_writes_its_last_words_into_the_log(daemon):
    worker = daemon()
    assert worker.start().returncode == 0
    assert os.readlink(f"/proc/{worker.process}/fd/2") == str(worker.log)
    worker.log.rename(worker.folder / "w.log.1")
    worker.signal(signal.SIGUSR1)
    eventually(lambda: os.readlink(f"/proc/{worker.process}/fd/2") == str(worker.log), what="standard error follows the log")
    worker.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_rights_are_given_up_before_anything_else(wire, daemon):
    worker = daemon("--uid", "nobody", "--umask", "077")
    worker.folder.chmod(0o777)
    for folder in list(worker.folder.parents)[:-1]:
        if not folder.stat().st_mode & 1:
            folder.chmod(folder.stat().st_mode | 0o11)
    started = worker.start()
    assert started.returncode == 0, started.stderr
    status = pathlib.Path(f"/proc/{worker.process}/status").read_text()
    assert re.search(r"Uid:\s+65534\s+65534\s+65534\s+65534", status) and re.search(r"Gid:\s+65534\s+65534\s+65534\s+65534", status)
    assert re.search(r"Groups:\s*(65534)?\s*\n", status), "none of root's groups"
    assert worker.log.stat().st_uid == worker.pidfile.stat().st_uid == 65534
    assert worker.log.stat().st_mode & 0o777 == 0o600
    worker.signal(signal.SIGHUP)
    eventually(lambda: len(re.findall(r"ready\.", worker.log.read_text())) == 2, PATIENCE, "it restarts without rights")
    worker.stop()
    refused = run("worker", "--uid", "no-such-user")
    assert refused.returncode == 2 and "User does not exist" in refused.stderr


def test_settings_come_from_arguments_variables_and_a_file(app, tmp_path, wire, start_swift):
    settings = tmp_path / "settings.json"
    queues = [unique("file"), unique("other")]
    settings.write_text(json.dumps({
        "task_queues": {queues[0]: None, queues[1]: {"max_priority": 5}}, "task_default_queue": queues[0], "result_backend": "rpc://",
        "worker_prefetch_multiplier": 1, "task_acks_late": True, "task_track_started": True,
    }))
    worker = start_swift(queues=queues, concurrency=1, arguments=["--config", str(settings), "worker.prefetch_multiplier=2", "-l", "debug"])
    assert "setting=task_acks_late value=true" in worker.log_text
    assert "setting=worker_prefetch_multiplier value=2" in worker.log_text
    for _ in range(4):
        app.send_task("demo.sleep", (1.0,), queue=queues[0])
    # Two are fetched, of which one runs, and neither is acknowledged.
    eventually(lambda: wire.ready(queues[0]) == 2)
    worker.stop(signal.SIGQUIT)
    assert eventually(lambda: wire.ready(queues[0]) >= 3)
    by_variable = run("worker", "-Q", queues[0], CELERY_CONFIG=str(settings), CELERY_TASK_ACKS_LATE="perhaps")
    assert by_variable.returncode == 2
    assert by_variable.stderr.strip() == "Error: task_acks_late has to be true or false"


@pytest.mark.parametrize("content, complaint", [
    ('{"task_ack_late": true}', "did you mean 'task_acks_late'?"),
    ('{"task_acks_late": "sesame"}', "task_acks_late has to be true or false"),
    ('{"broker_url": ["amqp://me:sesame@box"]}', "broker_url has to be text"),
    ('{"result_backend": "redis://:sesame@box"}', "result_backend can only be 'rpc://'"),
    ('{"task_acks_late": true', "is not JSON"),
    (None, "cannot be read"),
])
def test_bad_files_of_settings_are_errors_that_show_no_value(tmp_path, content, complaint):
    settings = tmp_path / "settings.json"
    if content:
        settings.write_text(content)
    ended = run("--config", settings, "worker")
    assert ended.returncode == 2
    assert complaint in ended.stderr and "sesame" not in ended.stderr


def test_service_manager_hears_of_the_worker(tmp_path, start_swift, monkeypatch):
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        manager.settimeout(PATIENCE)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        monkeypatch.setenv("WATCHDOG_USEC", "400000")
        worker = start_swift()
        messages = [manager.recv(4096).decode() for _ in range(4)]
        assert sum(message.startswith("READY=1") for message in messages) == 1
        assert messages.count("WATCHDOG=1") == 3
        worker.send_signal(signal.SIGTERM)
        while not messages[-1].startswith("STOPPING=1"):
            messages.append(manager.recv(4096).decode())
        assert worker.wait() == 0


@pytest.mark.parametrize("options", [
    ["-E"], ["-O", "fair"], ["-Odefault"], ["--without-gossip", "--without-mingle", "--without-heartbeat", "--heartbeat-interval", "2"],
    ["--pool-start-method", "spawn", "--max-tasks-per-child", "100", "--max-memory-per-child", "900000", "--time-limit", "60", "--soft-time-limit", "50"],
], ids=lambda options: options[0])
def test_options_of_celerys_daemons_are_taken(app, start_swift, options):
    worker = start_swift(arguments=options)
    assert app.send_task("demo.add", (2, 3), queue=worker.queue).get(timeout=TIMEOUT) == 5
    assert ("Events of tasks are not there yet" in worker.log_text) == ("-E" in options)


def test_time_limits_of_the_command_line(app, start_swift):
    worker = start_swift(arguments=["--soft-time-limit", "0.5"])
    with pytest.raises(Exception, match="SoftTimeLimitExceeded"):
        app.send_task("demo.sleep", (30,), queue=worker.queue).get(timeout=TIMEOUT)


def test_command_without_its_broker_counts_as_up_after_a_while(daemon):
    """The broker may come later: the worker tries on."""
    worker = daemon()
    started = worker.start(CELERY_BROKER_URL="amqp://127.0.0.1:1//")
    assert started.returncode == 0
    assert is_alive(worker.process)
    worker.stop()

