import Celery

/// Why a command ends without success: a text for the person at the terminal, and the exit code.
struct CommandFailure: Error, CustomStringConvertible {
    /// Plain text without secrets; may have several lines.
    let message: String
    /// The code that the process ends with.
    let status: CommandStatus

    init(_ message: String, status: CommandStatus = .failure) {
        self.message = message
        self.status = status
    }

    var description: String { message }
}

extension CommandFailure {
    /// Calls a parser of options; what it complains about is an error of usage.
    static func usage<Value>(_ parse: () throws -> Value) throws -> Value {
        do {
            return try parse()
        } catch let error as OptionError {
            throw CommandFailure(error.description, status: .usage)
        }
    }

    /// Takes over what a client reports: a broker that cannot be had is `unavailable`, all else a failure.
    init(_ error: CeleryError) {
        switch error.code {
        case .connection:
            self.init(
                """
                Could not reach the message broker: \(error.underlying.map { "\($0)" } ?? error.message)
                Please make sure that it runs and that the address is right (-b/--broker, CELERY_BROKER_URL).
                """,
                status: .unavailable
            )
        case .invalidConfiguration, .invalidOption:
            self.init(error.message, status: .usage)
        default:
            // With its code and what is below it: what cannot be published is `unroutable`, `queueFull` and so on.
            self.init(error.underlying == nil ? error.message : error.description)
        }
    }

    /// Takes over the failure of a task: the exception, and below it the worker's traceback.
    init(_ failure: TaskFailure) {
        let exception = failure.message.isEmpty ? failure.type : "\(failure.type): \(failure.message)"
        let summary = "The task \(failure.id) ended with \(failure.state.name): \(exception)"
        let traceback = failure.traceback ?? ""
        self.init(traceback.isEmpty ? summary : "\(summary)\n\(traceback)")
    }
}
