import AMQPValues
import CeleryProtocol
import CeleryWorker
import Instrumentation
import Tracing

/// Begins a span around each run of a task; signals end it, when it is known how the run has ended.
struct ConsumerTracing: TaskMiddleware {
    let tracer: (any Tracer)?
    let usesLinks: Bool
    let spans = RunSpans()

    func run(_ context: TaskContext, next: (TaskContext) async throws -> JSONValue) async throws -> JSONValue {
        let span = begin(context)
        var inside = span.context
        inside[RunMark.self] = context.id
        await context.carry(trail(of: context, inside))
        return try await InstrumentationContext.$current.withValue(inside) {
            do {
                return try await next(context)
            } catch {
                spans.threw(error, in: context)
                throw error
            }
        }
    }

    private func begin(_ context: TaskContext) -> any Span {
        let tracer = tracer ?? InstrumentationSystem.tracer
        var parent = InstrumentationContext.topLevel
        tracer.extract(context.customHeaders, into: &parent, using: HeaderExtractor())
        let span = tracer.startSpan(
            "run/\(context.name)",
            context: usesLinks ? .topLevel : parent,
            ofKind: .consumer
        )
        if usesLinks, !parent.isEmpty { span.addLink(SpanLink(context: parent, attributes: [:])) }
        if let trail = RunTrail(context.customHeaders), trail.isRetried(as: context.id, retries: context.retries) {
            let earlier = RunTrail.context(in: context.customHeaders, by: tracer)
            if !earlier.isEmpty {
                span.addLink(SpanLink(context: earlier, attributes: [Attribute.retries: .int(Int64(context.retries))]))
            }
        }
        spans.begin(span, of: context)
        return span
    }

    private func trail(of context: TaskContext, _ inside: InstrumentationContext) -> [String: String] {
        RunTrail.headers(
            id: context.id,
            retries: context.retries,
            context: inside,
            by: tracer ?? InstrumentationSystem.tracer
        )
    }
}
