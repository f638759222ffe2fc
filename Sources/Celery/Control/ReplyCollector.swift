internal import CeleryProtocol
internal import Synchronization

/// Waits for the replies to one request.
final class ReplyCollector: Sendable {
    private let state: Mutex<ReplyCollection>
    private let outcome = Pending<Void>()
    private let onReply: @Sendable (ControlReply) -> Void

    init(limit: Int?, patience: Duration, onReply: @escaping @Sendable (ControlReply) -> Void) {
        state = Mutex(ReplyCollection(limit: limit, patience: patience, now: .now))
        self.onReply = onReply
    }

    /// Takes a reply in, and hands it on.
    func receive(_ reply: ControlReply) {
        let (isWanted, isFull) = state.withLock { ($0.receive(reply, now: .now), $0.isFull) }
        if isWanted { onReply(reply) }
        if isFull { outcome.settle(.success(())) }
    }

    /// Ends the wait by an error.
    func fail(_ error: CeleryError) {
        outcome.settle(.failure(error))
    }

    /// Waits until there are enough replies, or no further one has come for the whole patience.
    ///
    /// - Throws: ``CeleryError/Code/cancelled``, or the error by which the connection has ended.
    func replies() async throws(CeleryError) -> [ControlReply] {
        state.withLock { $0.begin(now: .now) }
        let timer = Task { [self] in
            while let wait = state.withLock({ $0.wait(now: .now) }) {
                guard (try? await Task.sleep(for: wait)) != nil else { return }
            }
            outcome.settle(.success(()))
        }
        defer { timer.cancel() }
        try await outcome.value()
        return state.withLock { $0.replies }
    }
}
