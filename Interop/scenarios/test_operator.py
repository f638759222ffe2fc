"""The operator's commands: `swcelery status`, `inspect`, `control` and `events` beside Celery's own, against a worker of each language."""
import contextlib
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys

import pytest

from harness import BROKER_URL, HOSTNAME, PATIENCE, SWCELERY, address, eventually, with_port
from proxy import Proxy

pytestmark = pytest.mark.beyond_celery

PYTHON = f"python@{HOSTNAME}"
SWIFT = f"swift@{HOSTNAME}"
ENVIRONMENT = dict(os.environ, CELERY_BROKER_URL=BROKER_URL, NO_COLOR="1", PYTHONWARNINGS="ignore")
# The machine may be busy: nobody has to reply within Celery's one second. With a destination the wait ends with the last reply.
WAIT = ["-t", "20"]


def swcelery_command(*arguments):
    return [SWCELERY, "-b", BROKER_URL, *arguments]


def celery_command(*arguments):
    return [sys.executable, "-m", "celery", "-A", "proj", "-b", BROKER_URL, "-C", *arguments]


def run(command):
    return subprocess.run(command, env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=2 * PATIENCE)


class Console:
    """Celery's command line, kept in one process."""

    process = None

    @classmethod
    def run(cls, *arguments):
        if cls.process is None:
            cls.process = subprocess.Popen(
                [sys.executable, "celery_console.py"], env=ENVIRONMENT, cwd=pathlib.Path(__file__).parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
        cls.process.stdin.write(json.dumps(["-A", "proj", "-b", BROKER_URL, "-C", *arguments]) + "\n")
        cls.process.stdin.flush()
        answer = json.loads(cls.process.stdout.readline())
        return subprocess.CompletedProcess(arguments, answer["code"], answer["out"], answer["error"])

    @classmethod
    def end(cls):
        if cls.process:
            cls.process.stdin.close()
            cls.process.wait(PATIENCE)
            cls.process = None


@pytest.fixture(scope="module", autouse=True)
def console():
    yield
    Console.end()


def both(*arguments):
    """What swcelery and celery make of the same arguments."""
    return run(swcelery_command(*arguments)), Console.run(*arguments)


@pytest.fixture(params=["python", "swift"])
def node(request):
    """The name of a worker that runs."""
    request.getfixturevalue(request.param)
    return {"python": PYTHON, "swift": SWIFT}[request.param]


def body(text):
    """The output without the line of the node, which says the same of all, and without trailing blanks."""
    return [line.rstrip() for line in text.rstrip().splitlines()]


def scrubbed(value):
    """Without what changes from one question to the next."""
    if isinstance(value, dict):
        volatile = {"clock", "uptime", "rusage", "prefetch_count", "writes", "total", "put-guarded-by-semaphore"}
        return {key: scrubbed(item) for key, item in value.items() if key not in volatile}
    return [scrubbed(item) for item in value] if isinstance(value, list) else value


# -- status


def test_status_is_celerys(python, swift):
    ours, theirs = both("status", *WAIT, "-d", f"{PYTHON},{SWIFT}")
    assert ours.returncode == theirs.returncode == 0, ours.stderr + theirs.stderr
    assert sorted(body(ours.stdout)) == sorted(body(theirs.stdout))
    assert ours.stdout.endswith("\n2 nodes online.\n")
    quiet = run(swcelery_command("-q", "status", *WAIT, "-d", PYTHON))
    assert quiet.stdout == f" {PYTHON}: OK\n"


def test_status_as_json(python):
    ours, theirs = both("status", *WAIT, "-d", PYTHON, "--json")
    assert json.loads(ours.stdout) == {PYTHON: {"ok": "pong"}}
    assert ours.stdout.splitlines() == theirs.stdout.splitlines()[:1]


@pytest.mark.parametrize("words", [["status"], ["inspect", "ping"], ["control", "heartbeat"]])
def test_nobody_there(words):
    ours, theirs = both(*words, "-t", "0.5", "-d", "nobody@nowhere")
    assert ours.returncode == theirs.returncode == 69
    assert ours.stderr == theirs.stderr == "Error: No nodes replied within time constraint\n"


def test_no_broker():
    ours = run([SWCELERY, "-b", "amqp://guest:secret@127.0.0.1:1//", "status"])
    assert ours.returncode == 69
    assert "Could not reach the message broker" in ours.stderr
    assert "secret" not in ours.stderr


# -- inspect

SAME_TEXT = [["ping"], ["registered"], ["registered", "max_retries"], ["revoked"], ["query_task", "no-such-id"], ["reserved"], ["scheduled"], ["active"]]
SAME_JSON = [*SAME_TEXT, ["active_queues"], ["conf"], ["conf", "yes"], ["stats"]]


@pytest.mark.parametrize("words", SAME_TEXT, ids=" ".join)
def test_inspect_looks_like_celerys(node, words):
    ours, theirs = both("inspect", *WAIT, "-d", node, *words)
    assert ours.returncode == theirs.returncode == 0, ours.stderr + theirs.stderr
    assert sorted(body(ours.stdout)) == sorted(body(theirs.stdout))


@pytest.mark.parametrize("words", SAME_JSON, ids=" ".join)
def test_inspect_as_json(node, words):
    ours, theirs = both("inspect", *WAIT, "-d", node, "--json", *words)
    assert ours.returncode == theirs.returncode == 0, ours.stderr + theirs.stderr
    found, expected = json.loads(ours.stdout), json.loads(theirs.stdout)
    assert scrubbed(found) == scrubbed(expected)
    assert list(found) == [node]
    if words[0] != "stats":
        # Byte for byte: the same keys in the same order, numbers and escapes written alike.
        assert ours.stdout == theirs.stdout


@pytest.mark.parametrize("words", [["clock"], ["memsample"], ["report"]], ids=" ".join)
def test_inspect_what_never_stays_the_same(node, words):
    ours, theirs = both("inspect", *WAIT, "-d", node, "--json", *words)
    assert ours.returncode == theirs.returncode == 0
    found, expected = json.loads(ours.stdout)[node], json.loads(theirs.stdout)[node]
    assert type(found) is type(expected)
    if isinstance(found, dict):
        assert list(found) == list(expected)


def test_inspect_shows_tasks_in_a_table(node, request, app):
    worker = request.getfixturevalue(node.split("@")[0])
    eta = app.send_task("demo.add", (2, 3), queue=worker.queue, countdown=600)
    try:
        line = eventually(
            lambda: re.search(rf"^    (\S+)  6 +{eta.id}  demo.add  \[2, 3\]  {{}}", run(swcelery_command("inspect", *WAIT, "-d", node, "scheduled")).stdout, re.M),
            PATIENCE, "the task is scheduled", 0.5,
        )
        assert re.match(r"\d{4}-\d\d-\d\dT", line[1])
        ours, theirs = both("inspect", *WAIT, "-d", node, "--json", "query_task", eta.id)
        assert json.loads(ours.stdout) == json.loads(theirs.stdout)
        assert json.loads(ours.stdout)[node][eta.id][0] in ("scheduled", "reserved")
    finally:
        run(swcelery_command("control", *WAIT, "-d", node, "revoke", eta.id))


@pytest.mark.parametrize("words", [["inspect", "nonsense"], ["control", "ping"], ["inspect"]])
def test_usage(words):
    ours, theirs = both(*words)
    assert ours.returncode == theirs.returncode == 2


def test_arguments_that_a_command_does_not_take():
    # Celery drops them without a word.
    ours = run(swcelery_command("inspect", "ping", "extra"))
    assert ours.returncode == 2
    assert "Command 'ping' takes no arguments" in ours.stderr


@pytest.mark.parametrize("kind", ["inspect", "control"])
def test_list(kind):
    ours, theirs = both(kind, "--list")

    def words(text):
        return " ".join(text.split()).replace("memory- leak", "memory-leak")
    assert ours.returncode == theirs.returncode == 0
    assert words(ours.stdout) == words(theirs.stdout)


# -- control

CONTROLS = [
    ["rate_limit", "demo.add", "10/m"], ["rate_limit", "demo.add", "0"], ["rate_limit", "no.such.task", "1"], ["time_limit", "demo.add", "30", "60"],
    ["time_limit", "no.such.task", "1"], ["add_consumer", "operator-queue"], ["cancel_consumer", "operator-queue"], ["enable_events"], ["disable_events"],
    ["heartbeat"], ["autoscale", "3", "1"], ["pool_restart"], ["revoke", "no-such-id"], ["terminate", "TERM", "no-such-id"], ["pool_grow", "1"], ["pool_shrink", "1"],
]


@pytest.mark.parametrize("words", CONTROLS, ids=" ".join)
def test_control_replies_as_celerys(node, words):
    # Twice by each, so that a first change does not count.
    Console.run("control", *WAIT, "-d", node, *words)
    ours, theirs = both("control", *WAIT, "-d", node, *words)
    assert ours.returncode == theirs.returncode == 0, ours.stderr + theirs.stderr
    assert body(ours.stdout) == body(theirs.stdout)
    ours, theirs = both("control", *WAIT, "-d", node, "--json", *words)
    assert ours.stdout == theirs.stdout


def test_revoke_takes_hold(node, request, app, wire):
    worker = request.getfixturevalue(node.split("@")[0])
    result = app.send_task("demo.add", (1, 1), queue=worker.queue, countdown=5)
    done = run(swcelery_command("control", *WAIT, "-d", node, "revoke", result.id))
    assert done.returncode == 0, done.stderr
    revoked = json.loads(run(swcelery_command("inspect", *WAIT, "-d", node, "--json", "revoked")).stdout)
    assert result.id in revoked[node]
    worker.wait_for_log(f"(Discarding revoked task|revoked).*{result.id}|{result.id}.*revoked", PATIENCE)


def test_shutdown_ends_a_worker(start_python):
    worker = start_python(name="doomed")
    done = run(swcelery_command("control", "-t", "1", "-d", f"doomed@{HOSTNAME}", "shutdown"))
    # Workers do not reply to that: Celery's command line says so, too.
    assert done.returncode == 69
    assert worker.wait(PATIENCE) == 0


def test_an_applications_own_command(python):
    done = run(swcelery_command("inspect", *WAIT, "-d", PYTHON, "--kwargs", "{}", "no_such_command"))
    assert done.returncode == 0
    assert f"->  {PYTHON}: ERROR" in done.stdout


# -- events --dump


class Dump:
    """A command that prints events until it is interrupted."""

    def __init__(self, command, path):
        self.path = path
        self.output = open(path, "wb")
        self.process = subprocess.Popen(command, env=dict(ENVIRONMENT, PYTHONUNBUFFERED="1"), stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT)

    @property
    def text(self):
        return self.path.read_text()

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.output.close()
        return self.process.wait(PATIENCE)

    def lines(self, part):
        """Lines without what is the receiver's own: when the event came in, and the clock that it gives to clients' events."""
        own = re.compile(r",? ?local_received=[0-9.e+]+|clock=\d+, ")
        return [own.sub("", line).rstrip() for line in self.text.splitlines() if part in line]


@contextlib.contextmanager
def events_enabled(node):
    run(swcelery_command("control", *WAIT, "-d", node, "enable_events"))
    try:
        yield
    finally:
        run(swcelery_command("control", *WAIT, "-d", node, "disable_events"))


def test_dump_prints_celerys_lines(node, request, app, tmp_path):
    worker = request.getfixturevalue(node.split("@")[0])
    with events_enabled(node):
        dumps = [Dump(swcelery_command("events", "--dump"), tmp_path / "ours"), Dump(celery_command("events", "--dump"), tmp_path / "theirs")]
        try:
            for dump in dumps:
                eventually(lambda: node in dump.text, PATIENCE, f"a heartbeat in {dump.path.name}: {dump.text}", 0.2)
            ids = [app.send_task("demo.add", (number, 1), queue=worker.queue).id for number in range(3)]
            ids.append(app.send_task("no.such.task", queue=worker.queue).id)
            for dump in dumps:
                eventually(lambda: all(f"task succeeded: demo.add({id})" in dump.text for id in ids[:3]), PATIENCE, f"all tasks in {dump.path.name}: {dump.text}", 0.2)
        finally:
            codes = [dump.stop() for dump in dumps]
    assert codes == [0, 0]
    ours, theirs = dumps
    assert ours.text.splitlines()[0] == theirs.text.splitlines()[0] == "-> evdump: starting capture..."
    for id in ids[:3]:
        assert ours.lines(id) == theirs.lines(id)
        assert len(ours.lines(id)) == 3


# -- the live view


class Tmux:
    """A terminal that can be read back."""

    def __init__(self, folder):
        self.socket = str(folder / "tmux")

    def call(self, *arguments):
        return subprocess.run(["tmux", "-S", self.socket, *arguments], env=dict(os.environ, TERM="screen-256color"), capture_output=True, text=True, timeout=PATIENCE, check=True).stdout

    def start(self, columns, rows):
        self.call("-f", "/dev/null", "new-session", "-d", "-s", "view", "-x", str(columns), "-y", str(rows), "env", "PS1=$ ", "bash", "--norc", "--noprofile")

    def keys(self, *keys):
        self.call("send-keys", "-t", "view", *keys)

    def type(self, command):
        self.call("send-keys", "-t", "view", "-l", command)
        self.keys("Enter")

    @property
    def screen(self):
        return self.call("capture-pane", "-p", "-t", "view")

    @property
    def is_alternate(self):
        return self.call("display-message", "-p", "-t", "view", "#{alternate_on}").strip() == "1"

    def sees(self, pattern):
        return eventually(lambda: re.search(pattern, self.screen, re.M), PATIENCE, f"{pattern!r} on the screen:\n{self.screen}", 0.2)


@pytest.fixture
def tmux(tmp_path):
    if not shutil.which("tmux"):
        pytest.skip("tmux is not installed")
    terminal = Tmux(tmp_path)
    terminal.start(120, 30)
    yield terminal
    terminal.call("kill-server")


def live_view():
    return shlex.join(swcelery_command("events")) + "; echo ended with $?; stty -a | grep -o ' -\\?echo '"


def test_the_live_view(tmux, node, request, app, tmp_path):
    worker = request.getfixturevalue(node.split("@")[0])
    with events_enabled(node):
        tmux.type(live_view())
        tmux.sees(rf"^  {node} +online")
        assert tmux.is_alternate
        done = app.send_task("demo.add", (2, 3), queue=worker.queue)
        waiting = app.send_task("demo.add", (4, 5), queue=worker.queue, countdown=600)
        tmux.sees(rf"{done.id[:20]}.* +demo\.add +\d\d:\d\d:\d\d SUCCESS +\d+\.\d\d\d s")
        tmux.sees(rf"{waiting.id[:20]}.* +demo\.add +\d\d:\d\d:\d\d RECEIVED")
        # Select the waiting task, look at it, revoke it.
        tmux.keys("/")
        tmux.type(waiting.id[:8])
        tmux.keys("j")
        tmux.sees(rf"^> {waiting.id[:20]}")
        tmux.sees(r"^ Selected: args=\(4, 5\)")
        tmux.keys("i")
        tmux.sees(rf"^ Task {waiting.id}")
        tmux.sees(r"^ name: +demo\.add")
        tmux.keys("Escape")
        tmux.keys("c")
        tmux.sees(rf"^ Revoke the task {waiting.id}\? \(y/n\)")
        tmux.keys("y")
        tmux.sees(rf"^ {node}: tasks .*{waiting.id[:8]}.* flagged as revoked")
        tmux.keys("Escape")
        # Statistics of the worker, in a window of another size.
        tmux.call("resize-window", "-t", "view", "-x", "100", "-y", "40")
        tmux.keys("Tab")
        tmux.keys("j")
        tmux.keys("i")
        tmux.sees(r"^ Statistics of ")
        tmux.keys("Escape")
        eventually(lambda: tmux.screen.rstrip("\n").count("\n") == 39, PATIENCE, "the screen is filled", 0.2)
        if os.environ.get("SCREENSHOT"):
            open(os.environ["SCREENSHOT"], "w").write(tmux.screen)
        tmux.keys("q")
        tmux.sees(r"^ended with 0")
        tmux.sees(r"^ echo")
    assert not tmux.is_alternate
    revoked = json.loads(run(swcelery_command("inspect", *WAIT, "-d", node, "--json", "revoked")).stdout)
    assert waiting.id in revoked[node]


@pytest.mark.parametrize("way", ["TERM", "HUP", "ABRT", "Ctrl-C"])
def test_the_terminal_is_restored(tmux, python, way):
    tmux.type(live_view())
    tmux.sees(rf"^  {PYTHON} ")
    if way == "Ctrl-C":
        tmux.keys("C-c")
    else:
        shell = int(tmux.call("display-message", "-p", "-t", "view", "#{pane_pid}"))
        child = int(subprocess.run(["pgrep", "-P", str(shell)], capture_output=True, text=True, check=True).stdout.split()[0])
        os.kill(child, getattr(signal, f"SIG{way}"))
    tmux.sees(r"^ended with 134" if way == "ABRT" else r"^ended with 0")
    tmux.sees(r"^ echo")
    assert not tmux.is_alternate


def test_the_live_view_can_be_suspended(tmux, python):
    tmux.type(live_view())
    tmux.sees(rf"^  {PYTHON} ")
    tmux.keys("C-z")
    tmux.sees(r"Stopped")
    assert not tmux.is_alternate
    tmux.type("fg")
    tmux.sees(rf"^  {PYTHON} ")
    tmux.keys("q")
    tmux.sees(r"^\$ *$")


def test_the_live_view_needs_a_terminal():
    done = run(swcelery_command("events"))
    assert done.returncode == 2
    assert "--dump" in done.stderr


def test_a_lost_connection_is_told_of(tmp_path, app):
    with Proxy(*address(BROKER_URL)) as proxy:
        dump = Dump([SWCELERY, "-b", with_port(BROKER_URL, proxy.port), "events", "--dump"], tmp_path / "dump")

        def hears(node):
            with app.events.default_dispatcher(hostname=node) as dispatcher:
                dispatcher.send("worker-heartbeat")
            return node in dump.text

        try:
            eventually(lambda: hears("before@nowhere"), PATIENCE, "the receiver consumes", 0.5)
            proxy.cut("all", how="rst")
            eventually(lambda: "-> Connection lost, attempting reconnect" in dump.text, PATIENCE, "the loss is told of", 0.2)
            eventually(lambda: hears("after@nowhere"), PATIENCE, "the receiver consumes again", 0.5)
        finally:
            assert dump.stop() == 0


def test_colours_only_on_a_terminal(tmux, python):
    assert "\x1b" not in run(swcelery_command("status", *WAIT, "-d", PYTHON)).stdout
    tmux.type("unset NO_COLOR; " + shlex.join(swcelery_command("status", *WAIT, "-d", PYTHON)))
    tmux.sees(r"1 node online")
    assert "\x1b[36m" in tmux.call("capture-pane", "-p", "-e", "-t", "view")
    tmux.type("clear; NO_COLOR=1 " + shlex.join(swcelery_command("status", *WAIT, "-d", PYTHON)))
    tmux.sees(r"1 node online")
    assert "\x1b[36m" not in tmux.call("capture-pane", "-p", "-e", "-t", "view")
