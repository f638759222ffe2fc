import CeleryProtocol
import FoundationEssentials

/// When and why a task is tried again, in the words of `celery.exceptions.Retry`.
struct RetryReason: Sendable {
    let delay: Duration
    let eta: Date?
    let cause: ExceptionInfo?

    /// A text such as `Retry in 600s: ValueError('boom')`.
    var text: String {
        let when = eta.map { "at \(Self.text(of: $0))" } ?? "in \(Self.number(delay.seconds))s"
        guard let cause else { return "Retry \(when)" }
        return "Retry \(when): \(cause.pythonRepr)"
    }

    /// The exception for the traceback of a RETRY result.
    var exception: ExceptionInfo {
        ExceptionInfo(type: "Retry", module: "celery.exceptions", arguments: [.string(text)])
    }

    /// Whole seconds without a fraction, as a Python caller would have given them.
    private static func number(_ seconds: Double) -> String {
        Int(exactly: seconds).map(String.init) ?? String(describing: seconds)
    }

    /// Python's `str` of a date: a blank in place of the `T`.
    private static func text(of date: Date) -> String {
        String(WireDate(date).text.map { $0 == "T" ? " " : $0 })
    }
}

extension RetryReason {
    /// The reason of a wish to run again.
    init(_ retry: TaskOutcome.Retrial, task: WorkerTask) {
        self.init(delay: retry.after ?? task.retryDelay, eta: retry.eta, cause: retry.cause?.exception)
    }
}
