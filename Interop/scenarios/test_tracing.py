"""Traces that OpenTelemetry's instrumentation begins in Python, and that Swift workers go on with."""
import json

import pytest
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import harness
from harness import PATIENCE, Worker, client_app, eventually, python_command, swift_command, unique

pytestmark = pytest.mark.beyond_celery
TASKS = ["traced.add", "traced.back", "traced.fail", "traced.flaky", "traced.relay"]


class Spans:
    """The spans that workers have written, and those of this process."""

    def __init__(self, folder):
        self.paths = {name: folder / f"{name}.spans" for name in ("swift", "python")}
        self.exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = provider.get_tracer("scenario")
        self.instrumentor = CeleryInstrumentor()
        self.instrumentor.instrument(tracer_provider=provider)

    def written(self, worker):
        path = self.paths[worker]
        return [json.loads(line.split(" ", 1)[1]) for line in path.read_text().splitlines()] if path.exists() else []

    def named(self, worker, name, count=1):
        def found():
            spans = [span for span in self.written(worker) if span["name"] == name]
            return spans if len(spans) >= count else None
        spans = eventually(found, PATIENCE, f"{count} spans {name} of the {worker} worker")
        assert len(spans) == count, spans
        return spans if count > 1 else spans[0]

    def own(self, name):
        [span] = [span for span in self.exporter.get_finished_spans() if span.name == name]
        return span


@pytest.fixture
def spans(tmp_path):
    spans = Spans(tmp_path)
    yield spans
    spans.instrumentor.uninstrument()


@pytest.fixture
def client():
    """A client that knows the tasks' names: of others the instrumentation never ends the span."""
    app = client_app()

    def not_run_here(*_):
        """Celery takes no lambda."""

    for name in TASKS:
        app.task(name=name, shared=False)(not_run_here)
    yield app
    app.close()


@pytest.fixture(params=["tasks", "processes"])
def workers(request, wire, tmp_path, spans):
    """A traced Swift worker, of each pool, and a traced Python worker."""
    if not harness.TRACED_WORKER:
        pytest.skip("SWCELERY_TRACED_WORKER names no executable")
    queues = {"swift": unique("swift"), "python": unique("python")}
    commands = {
        "swift": swift_command([queues["swift"]], concurrency=2, executable=harness.TRACED_WORKER, arguments=["-P", request.param]),
        "python": python_command([queues["python"]]),
    }
    started = []
    for name, command in commands.items():
        environment = {"SPANS": str(spans.paths[name]), "TRACED_QUEUE": queues["swift"]}
        started.append(Worker(command, [queues[name]], tmp_path / f"{name}.log", environment=environment))
    try:
        for worker in started:
            worker.wait_until_ready(wire)
        yield queues
    finally:
        for worker in started:
            worker.end()
        wire.delete(*queues.values())


def hexadecimal(number, digits=16):
    return format(number, f"0{digits}x")


def test_a_trace_from_python_through_swift_and_back_is_one(workers, spans, client):
    with spans.tracer.start_as_current_span("request") as request:
        result = client.tasks["traced.relay"].apply_async(("traced.back", workers["python"], 1), queue=workers["swift"])
    assert result.get(timeout=PATIENCE)
    sent = spans.own("apply_async/traced.relay")
    relay = spans.named("swift", "run/traced.relay")
    swift_send = spans.named("swift", "apply_async/traced.back")
    back = spans.named("python", "run/traced.back")
    python_send = spans.named("python", "apply_async/traced.add")
    add = spans.named("swift", "run/traced.add")
    trace_id = hexadecimal(request.get_span_context().trace_id, 32)
    assert {span["trace"] for span in [relay, swift_send, back, python_send, add]} == {trace_id}
    assert hexadecimal(sent.context.trace_id, 32) == trace_id
    assert sent.parent.span_id == request.get_span_context().span_id
    assert relay["parent"] == hexadecimal(sent.context.span_id)
    assert swift_send["parent"] == relay["span"]
    assert back["parent"] == swift_send["span"]
    assert python_send["parent"] == back["span"]
    assert add["parent"] == python_send["span"]
    assert [span["kind"] for span in [relay, swift_send, back]] == ["consumer", "producer", "consumer"]


def test_a_chain_over_both_languages_is_one_trace(workers, spans, client):
    def add(*arguments, queue):
        return client.tasks["traced.add"].s(*arguments).set(queue=queue)

    chain = add(1, 1, queue=workers["swift"]) | add(2, queue=workers["python"]) | add(3, queue=workers["swift"])
    with spans.tracer.start_as_current_span("request") as request:
        result = chain.apply_async()
    assert result.get(timeout=PATIENCE) == 7
    first, last = spans.named("swift", "run/traced.add", 2)
    middle = spans.named("python", "run/traced.add")
    to_python = spans.named("swift", "apply_async/traced.add")
    to_swift = spans.named("python", "apply_async/traced.add")
    assert {span["trace"] for span in [first, last, middle]} == {hexadecimal(request.get_span_context().trace_id, 32)}
    assert to_python["parent"] == first["span"]
    assert middle["parent"] == to_python["span"]
    assert to_swift["parent"] == middle["span"]
    assert last["parent"] == to_swift["span"]


def test_retries_are_linked(workers, spans, client):
    result = client.tasks["traced.flaky"].apply_async((2,), queue=workers["swift"])
    assert result.get(timeout=PATIENCE) == 2
    runs = spans.named("swift", "run/traced.flaky", 3)
    sends = spans.named("swift", "apply_async/traced.flaky", 2)
    assert len({span["trace"] for span in runs + sends}) == 1
    assert [span["links"] for span in runs] == [[], [runs[0]["span"]], [runs[1]["span"]]]
    assert [span["parent"] for span in sends] == [runs[0]["span"], runs[1]["span"]]
    assert [span["parent"] for span in runs[1:]] == [span["span"] for span in sends]


CASES = {"traced.add": (1, 2), "traced.fail": ("bad",)}


@pytest.mark.parametrize("task", CASES)
def test_spans_say_the_same_in_both_languages(workers, spans, client, task):
    for queue in workers.values():
        client.tasks[task].apply_async(CASES[task], queue=queue, time_limit=60).get(timeout=PATIENCE, propagate=False)
    found = {worker: spans.named(worker, f"run/{task}") for worker in workers}
    assert comparable(found["swift"], workers) == comparable(found["python"], workers)


def comparable(span, queues):
    """What has to be the same: everything but ids, and the names of the queues."""
    attributes = dict(span["attributes"])
    for key in ["messaging.message.id", "messaging.conversation_id", "celery.reply_to"]:
        assert attributes.pop(key, key)
    text = json.dumps(attributes, sort_keys=True)
    for queue in queues.values():
        text = text.replace(queue, "QUEUE")
    return {"kind": span["kind"], "status": span.get("status"), "errors": span["errors"], "attributes": json.loads(text)}
