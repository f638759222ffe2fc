import Celery

/// Why a command ends without success: a text for the person at the terminal, and the exit code.
struct CommandFailure: Error, CustomStringConvertible {
    /// Plain text without secrets; may have several lines.
    let message: String
    /// The code that the process ends with.
    let status: ExitStatus

    init(_ message: String, status: ExitStatus = .failure) {
        self.message = message
        self.status = status
    }

    var description: String { message }
}

extension CommandFailure {
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
            self.init(error.message)
        }
    }

    /// Takes over the failure of a task: the remote traceback, then the exception.
    init(_ failure: TaskFailure) {
        let exception = failure.message.isEmpty ? failure.type : "\(failure.type): \(failure.message)"
        let traceback = failure.traceback.map { $0.hasSuffix("\n") ? $0 : $0 + "\n" } ?? ""
        self.init("\(traceback)The task \(failure.id) ended with \(failure.state.name): \(exception)")
    }
}
