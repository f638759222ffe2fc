import AMQPValues
import Instrumentation
import Tracing

/// The run that sends a message, as headers tell of it on their way to the worker's publishing, and in the message of a retry.
///
/// What follows a run is sent when its body and its span have ended, and where bodies run in child processes by another
/// process: no task-local value leads from there to the span.
struct RunTrail {
    /// What the names of the headers begin with.
    static let prefix = "swcelery-run-"
    /// The task's id and how often it was retried.
    private static let nameHeader = prefix + "of"

    private let name: String

    /// The headers that a run gives to all that it sends.
    static func headers(
        id: String,
        retries: Int,
        context: InstrumentationContext,
        by tracer: any Tracer
    ) -> [String: String] {
        var headers: [String: String] = [:]
        tracer.inject(context, into: &headers, using: TrailInjector())
        if !headers.isEmpty { headers[nameHeader] = "\(id)/\(retries)" }
        return headers
    }

    /// Finds the run in a message's headers; nil where none has sent it.
    init?(_ headers: FieldTable) {
        guard let name = headers[Self.nameHeader]?.stringValue else { return nil }
        self.name = name
    }

    /// Whether the message with this id, and so many retries, is the next try of the run.
    func isRetried(as id: String, retries: Int) -> Bool { name == "\(id)/\(retries - 1)" }

    /// The context of the run's span.
    static func context(in headers: FieldTable, by tracer: any Tracer) -> InstrumentationContext {
        var context = InstrumentationContext.topLevel
        tracer.extract(headers, into: &context, using: HeaderExtractor(prefix: prefix))
        return context
    }

    /// Takes the run's headers out of a message that is no retry.
    static func remove(from headers: inout FieldTable) {
        headers = FieldTable(headers.fields.filter { !$0.name.hasPrefix(prefix) })
    }
}

/// Marks the context inside of a task's body.
enum RunMark: InstrumentationContextKey {
    typealias Value = String
}
