import AMQPValues
public import Celery
public import Tracing

/// Traces what a client sends: a span for each message, whose trace goes along in the message's headers.
///
/// ```swift
/// let celery = try CeleryClient(configuration: configuration, logger: logger, middlewares: [ProducerTracing()])
/// ```
/// The span is called `apply_async/` and the task's name, is a child of the span of the moment, ends when the broker has taken
/// the message, and has the attributes that OpenTelemetry's instrumentation for Python's Celery gives it. The headers are the
/// tracer's: `traceparent` and `tracestate` for one of W3C's trace context, where Python's workers look for them.
public struct ProducerTracing: PublishMiddleware {
    private let tracer: (any Tracer)?

    /// Makes the middleware.
    ///
    /// - Parameter tracer: the tracer; nil for the one that the process was bootstrapped with.
    public init(tracer: (any Tracer)? = nil) {
        self.tracer = tracer
    }

    /// Publishes a message inside of a span.
    public func publish(
        _ publication: TaskPublication,
        next: (TaskPublication) async throws(CeleryError) -> Void
    ) async throws(CeleryError) {
        let tracer = tracer ?? InstrumentationSystem.tracer
        let parent = InstrumentationContext.current ?? .topLevel
        try await ProducerSpan(tracer: tracer, parent: parent).publish(publication, next: next)
    }
}

/// Traces what a worker sends for its tasks, and what follows them.
struct FollowerTracing: PublishMiddleware {
    let tracer: (any Tracer)?

    func publish(
        _ publication: TaskPublication,
        next: (TaskPublication) async throws(CeleryError) -> Void
    ) async throws(CeleryError) {
        let tracer = tracer ?? InstrumentationSystem.tracer
        var publication = publication
        let parent = takeParent(from: &publication, tracer)
        try await ProducerSpan(tracer: tracer, parent: parent).publish(publication, next: next)
    }

    /// The span that the message belongs to: what a body has around it, else that of the run, else what the message says.
    private func takeParent(from publication: inout TaskPublication, _ tracer: any Tracer) -> InstrumentationContext {
        let headers = publication.headers
        let trail = RunTrail(headers)
        let retries = headers["retries"]?.intValue ?? 0
        if let trail, !trail.isRetried(as: publication.id, retries: retries) {
            RunTrail.remove(from: &publication.headers)
        }
        if let current = InstrumentationContext.current, current[RunMark.self] != nil { return current }
        if trail != nil { return RunTrail.context(in: headers, by: tracer) }
        var context = InstrumentationContext.topLevel
        tracer.extract(headers, into: &context, using: HeaderExtractor())
        return context
    }
}

/// The span of one message's publishing.
struct ProducerSpan {
    /// The headers of W3C's trace context and baggage: what is left of an earlier message must not stay.
    private static let known = ["traceparent", "tracestate", "baggage"]

    let tracer: any Tracer
    let parent: InstrumentationContext

    func publish(
        _ publication: TaskPublication,
        next: (TaskPublication) async throws(CeleryError) -> Void
    ) async throws(CeleryError) {
        var publication = publication
        let span = tracer.startSpan("apply_async/\(publication.task)", context: parent, ofKind: .producer)
        defer { span.end() }
        span.updateAttributes { Self.describe(publication, in: &$0) }
        var headers = publication.headers
        for name in Self.known where headers[name] != nil { headers[name] = nil }
        tracer.inject(span.context, into: &headers, using: HeaderInjector())
        publication.headers = headers
        do throws(CeleryError) {
            try await next(publication)
        } catch {
            span.recordError(error)
            span.setStatus(SpanStatus(code: .error, message: error.message))
            throw error
        }
    }

    private static func describe(_ publication: TaskPublication, in attributes: inout SpanAttributes) {
        attributes[Attribute.action] = "apply_async"
        attributes[Attribute.messageID] = publication.id
        attributes[Attribute.taskName] = publication.task
        attributes[Attribute.destination] = publication.routingKey
        if publication.exchange.isEmpty {
            attributes[Attribute.destinationKind] = "queue"
        } else {
            attributes[Attribute.exchange] = publication.exchange
        }
    }
}
