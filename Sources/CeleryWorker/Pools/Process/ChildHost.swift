import Celery
import CeleryProtocol
import Logging
import Synchronization

/// What a body in a child process reaches outside of itself: by way of its worker.
final class ChildHost: TaskHost {
    private let session: ChildSession
    private let run: UInt64
    private let sent = Mutex<[ResultTuple]>([])

    init(session: ChildSession, run: UInt64) {
        self.session = session
        self.run = run
    }

    var hostname: String { session.hostname }

    var children: [ResultTuple] { sent.withLock { $0 } }

    func logger(for envelope: TaskEnvelope) -> Logger {
        var logger = session.logger
        logger.handler = TaskLogHandler(base: logger.handler, envelope: envelope)
        return logger
    }

    func updateState(_ state: TaskState, meta: JSONValue) async {
        _ = await session.ask(.state(state, meta: meta), of: run)
    }

    func send(_ signature: Signature, options: TaskOptions) async throws(CeleryError) -> String {
        if let error = signature.encodingError { throw error }
        switch await session.ask(.send(signature, options), of: run) {
        case .sent(let id, let children):
            sent.withLock { $0 += children }
            return id
        case .failed(let code, let message):
            throw CeleryError(CeleryError.Code(description: code), message)
        case .done:
            throw CeleryError(.closed, "the worker gave no answer")
        }
    }

    func replace(with signature: Signature) async throws(CeleryError) {
        if let error = signature.encodingError { throw error }
        if case .failed(let code, let message) = await session.ask(.replace(signature), of: run) {
            throw CeleryError(CeleryError.Code(description: code), message)
        }
    }
}
