"""Tasks of a worker that OpenTelemetry's instrumentation traces: each span becomes a line of JSON in the file that SPANS names."""
import json
import os

from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

from .celery import app


def line(span):
    """A span as the Swift example writes it."""
    return {
        "name": span.name,
        "kind": span.kind.name.lower(),
        "trace": format(span.context.trace_id, "032x"),
        "span": format(span.context.span_id, "016x"),
        "parent": span.parent and format(span.parent.span_id, "016x"),
        "links": [format(link.context.span_id, "016x") for link in span.links],
        "errors": [event.attributes["exception.type"] for event in span.events if event.name == "exception"],
        "status": None if span.status.is_unset else span.status.status_code.name.lower(),
        "attributes": {key: list(value) if isinstance(value, tuple) else value for key, value in span.attributes.items()},
    }


class LineExporter(SpanExporter):
    def export(self, spans):
        with open(os.environ["SPANS"], "a") as file:
            file.writelines(f"0 {json.dumps(line(span))}\n" for span in spans)
        return SpanExportResult.SUCCESS


provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(LineExporter()))
CeleryInstrumentor().instrument(tracer_provider=provider)


@app.task(name="traced.add")
def add(x, y):
    return x + y


@app.task(name="traced.back")
def back(value):
    """Sends a task to the queue of the other worker, which TRACED_QUEUE names."""
    add.apply_async((value, 10), queue=os.environ["TRACED_QUEUE"])
    return value


@app.task(name="traced.flaky", bind=True)
def flaky(self, times):
    if self.request.retries < times:
        raise self.retry(exc=KeyError("again"), countdown=0)
    return self.request.retries


@app.task(name="traced.fail")
def fail(text):
    raise ValueError(text)
