"""Flower as a process, and its HTTP API."""
import json
import os
import pathlib
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

from harness import BROKER_URL, PATIENCE, eventually


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Refused(AssertionError):
    """Flower answered with an error."""


class Dashboard:
    """Real Flower with the application `proj`, on a free port of the loopback."""

    def __init__(self, folder, broker=BROKER_URL):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log_path = pathlib.Path(folder) / "flower.log"
        self.log = open(self.log_path, "ab")
        # Without a password the API only answers where that is asked for, and here nobody else can reach it.
        environment = dict(os.environ, CELERY_BROKER_URL=broker, FLOWER_UNAUTHENTICATED_API="true")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "proj", "-b", broker, "flower", "--address=127.0.0.1", f"--port={self.port}"],
            stdout=self.log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment, cwd=folder)

    def wait_until_ready(self):
        def answers():
            assert self.process.poll() is None, f"Flower ended:\n{self.log_path.read_text()}"
            try:
                return self.page("/healthcheck") == "OK"
            except OSError:
                return False
        eventually(answers, PATIENCE, "Flower answers")
        return self

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def page(self, path, form=None, **parameters):
        """The text of a page; with a form, the answer to it."""
        url = self.url + path + ("?" + urllib.parse.urlencode(parameters) if parameters else "")
        data = None if form is None else urllib.parse.urlencode(form).encode()
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data), timeout=30) as response:
                return response.read().decode()
        except urllib.error.HTTPError as error:
            raise Refused(f"{error.code} {error.read().decode(errors='replace')[:500]}") from None

    def get(self, path, **parameters):
        return json.loads(self.page(path, **parameters))

    def post(self, path, **form):
        return json.loads(self.page(path, form))["message"]

    def worker(self, name):
        """All that Flower has asked a worker for, asked again."""
        return self.get("/api/workers", refresh=1, workername=name)[name]

    def row(self, name):
        """The worker's row on the first page, by its events; None where there is none yet."""
        rows = self.get("/workers", json=1)["data"]
        return next((row for row in rows if row["hostname"] == name), None)

    def task(self, task_id):
        """What the events said of a task; empty where there was none yet."""
        return self.get("/api/tasks", limit=10000).get(task_id, {})
