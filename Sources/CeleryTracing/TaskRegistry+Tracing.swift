public import CeleryWorker
public import Tracing

extension TaskRegistry {
    /// Traces the runs of all tasks, and what they send: call it before other middlewares are added.
    ///
    /// Each run gets a span called `run/` and the task's name, a child of the span whose trace came with the message; what it
    /// sends, and what follows it, gets spans below it, as ``ProducerTracing`` makes them. The run after a retry is linked to
    /// the run before it. Spans begin and end where bodies run: in child processes, where there are any, each of which needs
    /// its tracer (``Signal/workerProcessInit``). A body that is killed with its process leaves no span.
    ///
    /// - Parameters:
    ///   - tracer: the tracer; nil for the one that the process was bootstrapped with.
    ///   - usesLinks: whether runs begin traces of their own that are linked to their messages, as with the option
    ///     `use_span_links` of Python's instrumentation.
    public mutating func trace(by tracer: (any Tracer)? = nil, usesLinks: Bool = false) {
        let runs = ConsumerTracing(tracer: tracer, usesLinks: usesLinks)
        add(runs)
        add(publishing: FollowerTracing(tracer: tracer))
        on(.taskRetry) { runs.spans.note($0) }
        on(.taskFailure) { runs.spans.note($0) }
        on(.taskPostrun) { runs.spans.end($0) }
    }
}
