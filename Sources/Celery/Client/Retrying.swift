internal import AMQP
internal import Logging

/// Runs an operation again after connection errors, as a policy tells (kombu's `retry_over_time`).
///
/// - Parameters:
///   - policy: how often and how fast; nil for not at all.
///   - logger: told of each further try.
///   - operation: what is tried; its errors with the codes `.connection` and `.queueFull` count.
///   - isFinal: whether no further try can help after such an error.
/// - Throws: the operation's last error, or ``CeleryError/Code/cancelled``.
func retrying(
    _ policy: RetryPolicy?,
    logger: Logger,
    _ operation: () async throws(CeleryError) -> Void,
    unless isFinal: (CeleryError) -> Bool = { _ in false }
) async throws(CeleryError) {
    var retries = 0
    while true {
        do throws(CeleryError) {
            return try await operation()
        } catch {
            guard error.isRecoverable, !isFinal(error), let delay = policy?.delay(beforeRetry: retries) else {
                throw error
            }
            retries += 1
            logger.debug(
                "trying again after an error of the broker",
                metadata: ["retry": "\(retries)", "delay": "\(delay)", "error": "\(error)"]
            )
            if delay > .zero { try await pause(delay) }
        }
    }
}

private func pause(_ delay: Duration) async throws(CeleryError) {
    do {
        try await Task.sleep(for: delay)
    } catch {
        throw .waitCancelled
    }
}

extension CeleryError {
    /// Whether a further try may help: a queue may be emptied meanwhile, and a new connection may be made, but not where
    /// the broker knows us and refuses.
    var isRecoverable: Bool {
        if code == .queueFull { return true }
        guard code == .connection else { return false }
        guard let error = underlying as? AMQPError else { return true }
        return error.code != .authenticationFailed && error.code != .tls
    }
}
