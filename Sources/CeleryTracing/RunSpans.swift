import CeleryProtocol
import CeleryWorker
import Synchronization
import Tracing

/// The spans of runs that have not ended.
final class RunSpans: Sendable {
    /// A run: the same task may run again under its id while an abandoned body goes on.
    fileprivate struct Key: Hashable {
        let id: String
        let retries: Int
    }

    private struct Run {
        let span: any Span
        /// What the body has thrown.
        var error: (any Error)?
        var hasFailed = false
    }

    private let runs = Mutex<[Key: Run]>([:])

    func begin(_ span: any Span, of context: TaskContext) {
        let earlier = runs.withLock { $0.updateValue(Run(span: span), forKey: Key(context)) }
        earlier?.span.end()
    }

    func threw(_ error: any Error, in context: TaskContext) { runs.withLock { $0[Key(context)]?.error = error } }

    func note(_ retry: TaskSignal.Retry) {
        let span = runs.withLock { $0[Key(retry.headers)]?.span }
        span?.updateAttributes { $0[Attribute.retryReason] = retry.reason }
    }

    func note(_ failure: TaskSignal.Failure) {
        let run = runs.withLock { runs -> Run? in
            defer { runs[Key(failure.headers)]?.hasFailed = true }
            return runs[Key(failure.headers)]
        }
        guard let run, !run.hasFailed else { return }
        var attributes: SpanAttributes = [
            Attribute.exceptionType: .string(failure.exception.type),
            Attribute.exceptionMessage: .string(failure.exception.message),
        ]
        if let traceback = failure.traceback { attributes[Attribute.exceptionStacktrace] = traceback }
        run.span.recordError(run.error ?? RunFailure(exception: failure.exception), attributes: attributes)
        run.span.setStatus(SpanStatus(code: .error, message: failure.exception.message))
    }

    func end(_ run: TaskSignal.Postrun) {
        guard let ended = runs.withLock({ $0.removeValue(forKey: Key(run.context)) }) else { return }
        ended.span.updateAttributes { RunDescription(run).write(to: &$0) }
        if run.state == .failure, !ended.hasFailed {
            ended.span.setStatus(SpanStatus(code: .error, message: run.result["exc_type"]?.stringValue))
        }
        ended.span.end()
    }
}

extension RunSpans.Key {
    fileprivate init(_ context: TaskContext) { self.init(id: context.id, retries: context.retries) }

    fileprivate init(_ headers: TaskHeaders) { self.init(id: headers.id, retries: headers.retries) }
}

/// A failure that no body has thrown, such as a time limit.
struct RunFailure: Error, CustomStringConvertible {
    let exception: ExceptionInfo

    var description: String { exception.pythonRepr }
}
