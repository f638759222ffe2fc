import CeleryProtocol

/// What has happened to a task, as its event tells it.
enum TaskEvent: Sendable, Hashable {
    /// The worker has got it.
    case received
    /// A slot has taken it for good.
    case started
    /// It has returned a value.
    case succeeded(result: String, runtime: Double)
    /// It has failed.
    case failed(exception: String, traceback: String)
    /// It was sent again.
    case retried(exception: String, traceback: String)
    /// It was discarded, or ended by a revoke.
    case revoked(isTerminated: Bool, signal: Int?, isExpired: Bool)
    /// Its message was rejected.
    case rejected(requeue: Bool)
    /// A shutdown, or the loss of its connection, has cancelled it.
    case cancelled

    /// The event's type.
    var type: String {
        switch self {
        case .received: "task-received"
        case .started: "task-started"
        case .succeeded: "task-succeeded"
        case .failed: "task-failed"
        case .retried: "task-retried"
        case .revoked: "task-revoked"
        case .rejected: "task-rejected"
        case .cancelled: "task-cancelled"
        }
    }

    /// Appends the fields that only this event has, in Celery's order.
    func put(of envelope: TaskEnvelope, to output: inout [UInt8]) {
        EventWriter.put("uuid", envelope.headers.id, &output)
        switch self {
        case .received: Self.putCall(envelope, &output)
        case .started, .cancelled: break
        case .succeeded(let result, let runtime):
            EventWriter.put("result", result, &output)
            EventWriter.put("runtime", .double(runtime), &output)
        case .failed(let exception, let traceback), .retried(let exception, let traceback):
            EventWriter.put("exception", exception, &output)
            EventWriter.put("traceback", traceback, &output)
        case .revoked(let isTerminated, let signal, let isExpired):
            EventWriter.put("terminated", .bool(isTerminated), &output)
            EventWriter.put("signum", signal.map(JSONValue.int) ?? .null, &output)
            EventWriter.put("expired", .bool(isExpired), &output)
        case .rejected(let requeue):
            EventWriter.put("requeue", .bool(requeue), &output)
        }
    }

    private static func putCall(_ envelope: TaskEnvelope, _ output: inout [UInt8]) {
        let headers = envelope.headers
        EventWriter.put("name", headers.displayName, &output)
        let (args, kwargs) = reprs(envelope)
        EventWriter.put("args", args, &output)
        EventWriter.put("kwargs", kwargs, &output)
        EventWriter.put("root_id", headers.rootID, &output)
        EventWriter.put("parent_id", headers.parentID, &output)
        EventWriter.put("retries", .int(headers.retries), &output)
        EventWriter.put("eta", time(headers.eta), &output)
        EventWriter.put("expires", time(headers.expires), &output)
    }

    /// The texts of the arguments: the sender's, and of protocol 1, which has none, the worker's own.
    private static func reprs(_ envelope: TaskEnvelope) -> (args: String, kwargs: String) {
        let headers = envelope.headers
        if headers.argsrepr == nil, envelope.form == .version1, let body = try? envelope.decodedBody() {
            return (PythonRepr.arguments(body.args), PythonRepr.keywords(body.kwargs))
        }
        return (headers.argsrepr ?? "", headers.kwargsrepr ?? "")
    }

    /// A time of the headers as Celery's request has it: with an offset.
    private static func time(_ text: String?) -> String? {
        guard let text, let date = try? WireDate(parsing: text) else { return text }
        return date.offsetSeconds == nil ? date.text + "+00:00" : date.text
    }
}
