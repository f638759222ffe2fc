"""The commands by which operators work on brokers and on several workers, beside Celery's own: the same effect, and the same essential output."""
import contextlib
import json
import os
import pathlib
import re
import shlex
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

import harness
from harness import BROKER_URL, HOSTNAME, PATIENCE, SWCELERY, Wire, address, client_app, eventually, unique, with_port
from proxy import Proxy

pytestmark = pytest.mark.beyond_celery


def run(*arguments, command=(SWCELERY,), stdin="", code=0, broker=BROKER_URL, **variables):
    """A command line run to its end, with the exit code that is expected of it."""
    done = subprocess.run(
        [*command, *map(str, arguments)], input=stdin, capture_output=True, text=True, timeout=2 * PATIENCE,
        env=dict(os.environ, CELERY_BROKER_URL=broker) | variables,
    )
    assert code is None or done.returncode == code, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def celery(*arguments, **options):
    return run(*arguments, command=(sys.executable, "-m", "celery"), **options)


def both(*arguments, **options):
    """The outcome of the same command line of both."""
    return run(*arguments, **options), celery(*arguments, **options)


def fill(wire, counts):
    """Declares queues and puts so many messages into each."""
    for queue, count in counts.items():
        wire.declare(queue)
        for number in range(count):
            wire.publish(queue, f"{number}")
        eventually(lambda queue=queue, count=count: wire.ready(queue) == count, PATIENCE, "the messages are there")


# purge

@pytest.mark.parametrize("options", [["-f", "-Qa,b"], ["--force", "--queues", "a,b", "--exclude-queues", "b"], ["-f", "-Q", "b,absent"], ["-fQ", "absent"]])
def test_purge_deletes_and_says_what_celery_does(wire, options):
    names = {"a": unique("a"), "b": unique("b"), "absent": unique("absent")}
    options = [re.sub(r"\b(a|b|absent)\b", lambda match: names[match[0]], option) for option in options]
    if options[0] == "-fQ":
        options[0:1] = ["-f", "-Q"]
    left, outputs = [], []
    for purge in (run, celery):
        fill(wire, {names["a"]: 3, names["b"]: 2})
        outputs.append(purge("purge", *options).stdout)
        left.append([wire.ready(names["a"]), wire.ready(names["b"])])
        wire.delete(names["a"], names["b"])
    assert outputs[0] == outputs[1]
    assert left[0] == left[1]


def test_purge_asks_first(wire):
    queue = unique("asked")
    fill(wire, {queue: 2})
    for answer in ("n\n", "\n", ""):
        swift, python = both("purge", "-Q", queue, stdin=answer, code=1)
        assert wire.ready(queue) == 2
        for outcome in (swift, python):
            assert "[y/N]: " in outcome.stdout and queue in outcome.stdout
            assert "Aborted!" in outcome.stderr
    assert "Purged 2 messages from 1 known task queue." in run("purge", "-Q", queue, stdin="y\n").stdout
    assert wire.ready(queue) == 0


# list bindings

@pytest.fixture(scope="module")
def management(broker):
    """The port of the private broker's management API."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    plugins = pathlib.Path(shlex.split(broker.control_command)[-1]) / "enabled_plugins"
    enabled = re.findall(r"\w+", plugins.read_text())
    plugins.write_text(f"[{','.join([*enabled, 'rabbitmq_management'])}].\n")
    program = (
        f'application:set_env(rabbitmq_management, tcp_config, [{{port, {port}}}, {{ip, "127.0.0.1"}}], [{{persistent, true}}]),'
        f' rabbit_plugins:ensure("{plugins}").'
    )
    # The plugin goes on starting on a busy machine when rabbitmqctl has been given up.
    with contextlib.suppress(subprocess.TimeoutExpired):
        broker.control("eval", program)

    def answers():
        try:
            return api(port, "overview")
        except OSError:
            return None

    eventually(answers, PATIENCE, "the management API answers")
    return port


def api(port, path):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/{path}", headers={"Authorization": "Basic Z3Vlc3Q6Z3Vlc3Q="})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return json.load(answer)


@pytest.mark.private_broker
def test_bindings_are_those_of_the_management_api(broker, management):
    wire = Wire(broker.url)
    queue = wire.declare(unique("bound"))
    wire.channel.queue_bind(queue, "amq.topic", "some.#")
    # What Celery's own command would print: kombu asks the same API by pyrabbit.
    expected = [f"{row['destination']:<28} {row['source']:<28} {row['routing_key']}".rstrip() for row in api(management, "bindings")]
    expected += [f"{'celery':<28} {'celery':<28} celery", f"{'celery':<28} {'':<28} celery"]  # declared by the command itself
    for arguments in (["--manager", f"http://guest:guest@127.0.0.1:{management}"], ["-b", f"{broker.url}?manager_port={management}"]):
        lines = run("list", "bindings", *arguments, broker=broker.url).stdout.splitlines()
        assert lines[:2] == [f"{'Queue':<28} {'Exchange':<28} Routing Key", " ".join([f"{'-' * 16:<28}"] * 2 + ["-" * 16])]
        assert {line.rstrip() for line in lines[2:]} == set(expected)
        assert any(line.split() == [queue, "amq.topic", "some.#"] for line in lines)
    found = json.loads(run("list", "bindings", "--json", "--manager", f"http://127.0.0.1:{management}", broker=broker.url).stdout)
    assert {"destination": queue, "source": "amq.topic", "routing_key": "some.#"}.items() <= next(row for row in found if row["source"] == "amq.topic").items()
    wire.close()


@pytest.mark.private_broker
def test_bindings_say_why_they_cannot_be_had(broker, management):
    def complaint(*arguments, code):
        return run("list", "bindings", *arguments, code=code, broker=broker.url).stderr

    assert "refuses the user 'nobody'" in complaint("--manager", f"http://nobody:x@127.0.0.1:{management}", code=69)
    assert "rabbitmq-plugins enable" in complaint("--manager", "http://127.0.0.1:1", code=69)
    # A broker's port, where nobody speaks HTTP.
    assert "cannot be used" in complaint("--manager", f"http://127.0.0.1:{address(broker.url)[1]}", code=69)
    assert "TLS" in complaint("--manager", "https://127.0.0.1", code=2)


def test_queues_are_counted(wire):
    queue, absent = unique("counted"), unique("absent")
    fill(wire, {queue: 3})
    lines = run("list", "queues", f"-Q{queue},{absent}").stdout.splitlines()
    assert [line.split() for line in lines] == [["Queue", "Messages", "Consumers"], ["-" * 16] * 3, [queue, "3", "0"], [absent, "-", "-"]]
    assert json.loads(run("list", "queues", "-j", "-Q", f"{queue}").stdout) == [{"queue": queue, "messages": 3, "consumers": 0}]


# amqp

SCRIPT = """
queue.declare NAME
exchange.declare NAME direct
queue.bind NAME NAME key
basic.publish 'two words' NAME key
basic.publish plain '' NAME yes
basic.get NAME
basic.ack 1
basic.get NAME true
basic.get NAME
queue.declare NAME yes
basic.publish one '' NAME
queue.purge NAME
queue.delete NAME no yes
exchange.delete NAME no
"""


def test_the_shell_does_what_celerys_does():
    outputs = []
    # An empty line ends the input of Celery's.
    for shell in (lambda script: run("amqp", stdin=script), lambda script: celery("amqp", "repl", stdin=script)):
        name = unique("shell")
        lines = shell(SCRIPT.strip().replace("NAME", name)).stdout.replace(name, "NAME")
        # py-amqp also tells how many messages are left; the colours are Celery's even without a terminal.
        lines = re.sub(r"\x1b\[\d*(;\d+)*m", "", lines)
        lines = re.sub(r"\n *'message_count': \d+,", "", lines)
        outputs.append([line for line in lines.splitlines() if not line.startswith("->") and "confirmed" not in line])
    assert outputs[0] == outputs[1]


def test_single_instructions_of_the_shell(wire):
    queue = wire.declare()
    assert run("amqp", "queue.declare", queue, "yes").stdout.splitlines()[-2:] == [f"queue:{queue} messages:0 consumers:0", "OK"]
    run("amqp", "basic.publish", "hello", "", queue)
    message = wire.get(queue)
    assert message.body in ("hello", b"hello")
    celery("amqp", "basic.publish", "hello", "", queue)
    assert message.properties == wire.get(queue).properties
    run("amqp", "basic.publish", "--", "-5", "", queue, "true")
    assert harness.text_of(wire.get(queue)) == "-5"


def test_a_mandatory_message_that_no_queue_takes_is_told():
    absent = unique("absent")
    script = f"basic.publish lost '' {absent} yes\nbasic.publish dropped '' {absent}\nqueue.purge {absent}\nhelp\nnonsense\nexit\nqueue.purge {absent}\n"
    outcome = run("amqp", stdin=script, code=1)
    assert "no queue took the message" in outcome.stderr
    assert outcome.stderr.count("ERROR") == 3
    assert outcome.stdout.count("OK") == 1
    assert outcome.stdout.count("-> connected.") == 2, "only the broker's own error ends the channel"
    assert "basic.publish <msg> <exchange>" in outcome.stdout
    run("amqp", "basic.publish", "lost", "", absent, "yes", code=1)
    run("amqp", "basic.ack", "7", code=1)
    run("amqp", "queue.declare", code=2)


# report

def test_the_report_has_no_secret():
    url = "amqp://somebody:geheim@broker.example//"
    swift, python = both("report", broker=url, CELERY_TASK_ACKS_LATE="1")
    for output in (swift.stdout, python.stdout):
        assert re.search(r"^software -> \w+:\d+\.\d+\.\d+ ", output, re.M)
        assert re.search(r"^platform -> system:Linux arch:\w+", output, re.M)
        assert re.search(r"^            kernel version:\S+ imp:\w+$", output, re.M)
        assert re.search(r"^settings -> transport:amqp results:", output, re.M)
        assert "geheim" not in output
    assert "broker_url: 'amqp://somebody:********@broker.example:5672//'" in swift.stdout
    assert "task_acks_late: True" in swift.stdout


# migrate

def tasks_of(wire, queue):
    """All messages of a queue, taken out."""
    found = []
    while message := wire.channel.basic_get(queue, no_ack=True):
        found.append(message)
    return found


def send_tasks(queue, count, url=BROKER_URL, task="demo.add"):
    app = client_app(url)
    for number in range(count):
        app.send_task(task, (number, 1), queue=queue, priority=number % 5, expires=6_000, headers={"trace": f"t{number}"})
    app.close()


def fields(message):
    return {"body": harness.text_of(message), **message.properties}


@pytest.mark.private_broker
def test_migrated_tasks_are_those_of_celerys_migrate(wire, broker):
    queue, other = unique("source"), unique("other")
    wire.declare(queue)
    send_tasks(queue, 4)
    far = Wire(broker.url)
    swift = run("migrate", BROKER_URL, broker.url, "-Q", queue, "-t", "1")
    assert re.findall(r"^Migrating task (\d/\d): demo\.add\[", swift.stdout, re.M) == ["1/4", "2/4", "3/4", "4/4"]
    assert "4 tasks copied." in swift.stderr
    eventually(lambda: wire.ready(queue) == 4, PATIENCE, "copied tasks are still at the source")
    python = celery("migrate", BROKER_URL, broker.url, "-Q", f"{queue}:{other}", "-t", "2")
    assert re.findall(r"^Migrating task (\d/\d): ", python.stdout, re.M) == ["1/4", "2/4", "3/4", "4/4"]
    swift_tasks, python_tasks = tasks_of(far, queue), tasks_of(far, other)
    original = tasks_of(wire, queue)
    assert len(original) == 4
    assert [fields(message) for message in swift_tasks] == [fields(message) for message in original]
    # Celery takes the milliseconds of the source for seconds.
    assert all(int(message.properties.pop("expiration")) == 6_000_000_000 for message in python_tasks)
    assert all(int(message.properties.pop("expiration")) == 6_000_000 for message in original)
    assert [fields(message) for message in python_tasks] == [fields(message) for message in original]
    far.delete(queue, other)
    far.close()


@pytest.mark.private_broker
def test_moved_tasks_run_at_their_destination(wire, start_swift):
    worker = start_swift()
    queue = unique("waiting")
    app = client_app()
    wire.declare(queue)
    results = [app.send_task("demo.add", (number, 1), queue=queue) for number in range(3)]
    outcome = run("migrate", "-a", BROKER_URL, BROKER_URL, "-Q", f"{queue}:{worker.queue}", "-n2")
    assert "2 tasks moved." in outcome.stderr
    assert [result.get(timeout=PATIENCE) for result in results[:2]] == [1, 2]
    assert wire.ready(queue) == 1
    run("migrate", "-a", BROKER_URL, BROKER_URL, "-Q", f"{queue}:{worker.queue}", "-T", "demo.nothing", "-q")
    eventually(lambda: wire.ready(queue) == 1, PATIENCE, "a task that nobody asked for stays")
    run("migrate", "-a", BROKER_URL, BROKER_URL, "-Q", f"{queue}:{worker.queue}", "-T", "demo.nothing,demo.add")
    assert results[2].get(timeout=PATIENCE) == 3
    app.close()


@pytest.mark.private_broker
@pytest.mark.parametrize("end", ["destination", "source"])
def test_nothing_is_lost_when_a_connection_dies(wire, broker, end):
    count, queue = 3_000, unique("many")
    wire.declare(queue)
    ids = [wire.publish_task(queue, "demo.add", (number, 1)) for number in range(count)]
    eventually(lambda: wire.ready(queue) == count, PATIENCE, "all tasks are there")
    far = Wire(broker.url)
    urls = {"source": BROKER_URL, "destination": broker.url}
    with Proxy(*address(urls[end])) as proxy:
        through = dict(urls, **{end: with_port(urls[end], proxy.port)})
        command = [SWCELERY, "migrate", "-a", "-Q", queue, through["source"], through["destination"]]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for line in process.stdout:
            if line.startswith("Migrating task 700/"):
                break
        proxy.cut("all", how="rst")
        output, complaints = process.communicate(timeout=PATIENCE)
        assert process.returncode != 0, complaints
    eventually(lambda: wire.ready(queue) + far.ready(queue) >= count, PATIENCE, "the source has its tasks again")
    moved = far.ready(queue)
    assert 0 < moved < count
    duplicates = wire.ready(queue) + moved - count
    assert 0 <= duplicates <= 512, "only what was under way may be twice"
    again = run("migrate", "-a", "-q", "-Q", queue, BROKER_URL, broker.url)
    assert again.stdout == ""
    assert wire.ready(queue) == 0
    arrived = [message.properties["correlation_id"] for message in tasks_of(far, queue)]
    assert set(arrived) == set(ids)
    assert len(arrived) == count + duplicates
    far.delete(queue)
    far.close()


# multi

NODES = [
    ["3", "-c", "3", "-c:1", "10", "-l", "info"],
    ["foo", "bar@%h", "baz@x", "-c", "3", "-c:foo,bar", "10", "-Q:2", "data", "--pidfile=%n.pid", "-f", "%n%I.log"],
    ["a-b", "-c:1", "5", "--hostname=w.example.com", "--prefix=p-", "--suffix=s", "--append=xx%n"],
    ["2", "--range-prefix=w", "-n", "host", "-E", "--purge"],
    ["5", "-Q:1-3", "images,video", "-Q:4,5", "data", "-Q", "default", "-l:4,5", "DEBUG", "--", "x=1"],
    ["1", "2", "3", "-c:2", "4"],
    ["foo", "bar", "-c:1-2", "9"],
    ["3", "-c:2-9", "4", "--app=proj.%n", "--workdir=/tmp"],
]


# Celery's own tool for all lines at once: its command line takes seconds to start.
MULTI_TOOL = """
import io, json, sys
from celery.bin.multi import MultiTool
for arguments in json.load(sys.stdin):
    output = io.StringIO()
    MultiTool(stdout=output, no_color=True).execute_from_commandline(["multi", *arguments])
    print(json.dumps(output.getvalue()))
"""
VIEWS = [["names"], ["expand", "%n %h %d %N %p %%"], ["show"]]


@pytest.fixture(scope="module")
def celerys_nodes(tmp_path_factory):
    """Each line of NODES with its folders named, and what Celery makes of it in each view."""
    folder = tmp_path_factory.mktemp("nodes")
    lines = []
    for nodes in NODES:
        pidfile = any(option.startswith(("--pidfile", "-p")) for option in nodes)
        lines.append(nodes + ([] if pidfile else [f"--pidfile={folder}/%n.pid"]) + ([] if "-f" in nodes else [f"--logfile={folder}/%n%I.log"]))
    calls = [view + line for line in lines for view in VIEWS]
    answers = [json.loads(answer) for answer in run("-c", MULTI_TOOL, command=(sys.executable,), stdin=json.dumps(calls)).stdout.splitlines()]
    assert len(answers) == len(calls)
    return [(line, answers[3 * index : 3 * index + 3]) for index, line in enumerate(lines)]


@pytest.mark.parametrize("index", range(len(NODES)), ids=lambda index: " ".join(NODES[index]))
def test_nodes_are_understood_as_by_celery(celerys_nodes, index):
    nodes, (names, expansion, commands) = celerys_nodes[index]
    assert names and run("multi", "names", *nodes).stdout == names
    assert run("multi", *VIEWS[1], *nodes).stdout == expansion
    # Celery starts `python -m celery`, and tells the worker of its interpreter.
    expected = [" ".join(re.sub(r"^\S+ -m celery", SWCELERY, re.sub(r" --executable=\S+", "", line)).split()) for line in commands.splitlines()]
    assert [line.replace("'", "") for line in run("multi", "show", *nodes).stdout.splitlines()] == expected


class Nodes:
    """Two workers that multi starts."""

    def __init__(self, folder):
        self.folder = folder
        self.queue = unique("multi")
        self.files = [f"--pidfile={folder}/run/%n.pid", f"--logfile={folder}/log/%n.log"]

    def multi(self, verb, *options, **expectations):
        return run("multi", verb, "2", "--range-prefix=node", *self.files, *options, **expectations)

    @property
    def processes(self):
        return [int(path.read_text()) for path in sorted((self.folder / "run").glob("*.pid"))]

    def end(self):
        for process in self.processes:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass


@pytest.fixture
def nodes(tmp_path, wire):
    nodes = Nodes(tmp_path)
    yield nodes
    nodes.end()
    wire.delete(nodes.queue)


def test_several_workers_are_started_and_stopped(nodes, wire):
    options = ["-Q", nodes.queue, "-P", "tasks", "-c:2", "3"]
    started = nodes.multi("start", *options).stdout
    lines = [line for line in started.splitlines() if line.startswith("\t>")]
    assert [line.split()[-1] for line in lines] == ["OK", "OK"]
    assert [line.split()[1] for line in lines] == [f"node1@{HOSTNAME}:", f"node2@{HOSTNAME}:"]
    eventually(lambda: wire.consumers(nodes.queue) == 2, PATIENCE, "both workers consume")
    app = client_app()
    assert app.send_task("demo.add", (2, 3), queue=nodes.queue).get(timeout=PATIENCE) == 5

    first = nodes.processes
    again = nodes.multi("start", *options, code=1).stdout
    assert again.count("FAILED") == 2 and "exit code 73" in again
    assert nodes.processes == first

    restarted = nodes.multi("restart", *options).stdout
    assert restarted.count("> Restarting node node") == 2
    assert not set(nodes.processes) & set(first) and len(nodes.processes) == 2
    eventually(lambda: wire.consumers(nodes.queue) == 2, PATIENCE, "both workers consume again")

    stopped = nodes.multi("stopwait").stdout
    assert stopped.count("SIGTERM ->") == 2 and "> Waiting for 2 nodes -> " in stopped
    assert nodes.processes == []
    assert wire.consumers(nodes.queue) == 0
    assert nodes.multi("stop").stdout.count("DOWN") == 2
    app.close()


def test_a_worker_that_celery_started_is_stopped_too_and_the_other_way_round(nodes, wire):
    options = ["-Q", nodes.queue, "-P", "threads", "-c", "1", "-A", "proj"]
    celery("multi", "start", "1", "--range-prefix=node", *nodes.files, *options)
    eventually(lambda: wire.consumers(nodes.queue) == 1, PATIENCE, "Celery's worker consumes")
    run("multi", "stopwait", "1", "--range-prefix=node", *nodes.files)
    eventually(lambda: nodes.processes == [], PATIENCE, "Celery's worker has ended")
    run("multi", "start", "1", "--range-prefix=node", *nodes.files, "-Q", nodes.queue, "-P", "tasks")
    eventually(lambda: wire.consumers(nodes.queue) == 1, PATIENCE, "the Swift worker consumes")
    celery("multi", "stopwait", "1", "--range-prefix=node", *nodes.files)
    assert nodes.processes == []


def test_workers_are_killed_and_signalled(nodes, wire):
    nodes.multi("start", "-Q", nodes.queue, "-P", "tasks")
    eventually(lambda: wire.consumers(nodes.queue) == 2, PATIENCE, "both workers consume")
    assert nodes.multi("stopwait", "-INT").stdout.count("SIGINT ->") == 2
    nodes.multi("start", "-q", "-Q", nodes.queue, "-P", "tasks")
    processes = nodes.processes
    assert nodes.multi("kill").stdout.count("Sending SIGKILL to node node") == 2
    eventually(lambda: not any(pathlib.Path(f"/proc/{process}/exe").exists() for process in processes), PATIENCE, "both are gone")


# completion

@pytest.mark.parametrize(("words", "expected"), [(["pur"], {"purge"}), (["amqp", "basic.p"], {"basic.publish"}), (["migrate", "--ack"], {"--ack-messages"})])
def test_bash_completes(tmp_path, words, expected):
    script = tmp_path / "completion"
    script.write_text(run("--generate-completion-script", "bash").stdout)
    name = pathlib.Path(SWCELERY).name
    line = " ".join([name, *words])
    program = f"""
        source {script}
        COMP_WORDS=({line}) COMP_CWORD={len(words)} COMP_LINE={shlex.quote(line)} COMP_POINT={len(line)}
        "$(complete -p {name} | sed 's/.*-F \\([^ ]*\\).*/\\1/')" {name} {words[-1]} {words[-2] if len(words) > 1 else name}
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    subprocess.run(["bash", "-n", script], check=True)
    environment = dict(os.environ, PATH=f"{pathlib.Path(SWCELERY).parent}:{os.environ['PATH']}")
    found = subprocess.run(["bash", "-c", program], capture_output=True, text=True, env=environment, timeout=PATIENCE)
    assert set(found.stdout.split()) == expected, found.stderr


# logtool

def test_celerys_logtool_reads_both_logs_alike(start_swift, start_python):
    """Its patterns are those of Celery 3: in logs of Celery 5 it takes receipts for errors. It has to find the same in both."""
    stats, errors = [], []
    app = client_app()
    for worker in (start_swift(), start_python()):
        assert [app.send_task("demo.add", (number, 1), queue=worker.queue).get(timeout=PATIENCE) for number in range(3)] == [1, 2, 3]
        with pytest.raises(Exception):
            app.send_task("demo.fail", queue=worker.queue).get(timeout=PATIENCE)
        worker.wait_for_log("raised unexpected")
        stats.append(celery("logtool", "stats", worker.log_path).stdout)
        errors.append(re.sub(r"[0-9a-f-]{36}|^\[.*?\]", "", celery("logtool", "errors", worker.log_path).stdout, flags=re.M))
    assert stats[0] == stats[1]
    assert "Task completed: 4" in stats[0]
    assert [line.partition("(")[0] for line in errors[0].splitlines()] == [line.partition("(")[0] for line in errors[1].splitlines()]
    app.close()
