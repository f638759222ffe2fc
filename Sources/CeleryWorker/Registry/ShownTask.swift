import Celery
import CeleryProtocol

/// What a task's registration says, as `inspect registered` shows it on demand.
struct ShownTask: Sendable {
    private let fields: [String: String]

    /// Takes note of the options that never change; names and texts are those of Celery's task classes.
    init(_ options: TaskRegistrationOptions) {
        var fields: [String: JSONValue] = [
            "default_retry_delay": .seconds(options.retryDelay),
            "trail": .bool(options.trail),
        ]
        fields["max_retries"] = options.maxRetries.map { .int($0) }
        fields["priority"] = options.priority.map { .int(Int($0)) }
        fields["expires"] = options.expires.map { .seconds($0) }
        fields["serializer"] = .string(options.serializer ?? "json")
        self.fields = fields.mapValues { value in value.stringValue ?? PythonLiteral.text(of: value) }
    }

    /// The text of an attribute; nil where the task has none of this name.
    func text(of attribute: String) -> String? { fields[attribute] }
}

extension WorkerTask {
    /// The text of an attribute by Celery's name for it; nil where there is none, or none of a value.
    func text(of attribute: String) -> String? {
        let value: JSONValue? =
            switch attribute {
            case "name": .string(name)
            case "rate_limit": limits.values.rate.map { .string($0.description) }
            case "time_limit": hardLimit.map { .seconds($0) }
            case "soft_time_limit": softLimit.map { .seconds($0) }
            case "acks_late": .bool(acksLate)
            case "acks_on_failure_or_timeout": .bool(acksOnFailure && acksOnTimeout)
            case "reject_on_worker_lost": .bool(rejectsOnWorkerLost)
            case "ignore_result": .bool(ignoresResult)
            case "store_errors_even_if_ignored": .bool(storesIgnoredErrors)
            case "track_started": .bool(tracksStarted)
            default: nil
            }
        guard let value else { return shown.text(of: attribute) }
        return value.stringValue ?? PythonLiteral.text(of: value)
    }
}

extension JSONValue {
    /// Seconds as Python's numbers: whole ones without a fraction.
    static func seconds(_ duration: Duration) -> JSONValue {
        Int(exactly: duration.seconds).map(JSONValue.int) ?? .double(duration.seconds)
    }
}
