internal import AMQP
internal import Synchronization

/// The addresses of a broker and the one to begin with (`broker_failover_strategy`).
final class BrokerAddresses: Sendable {
    /// All addresses in the order of the setting.
    let all: [AMQPURI]
    private let strategy: FailoverStrategy
    private let first = Mutex(0)

    /// Reads the addresses of a setting.
    ///
    /// - Throws: ``CeleryError/Code/invalidConfiguration``.
    init(_ urls: String, setting: String, strategy: FailoverStrategy) throws(CeleryError) {
        do {
            all = try AMQPURI.parse(urls)
        } catch {
            throw CeleryError(error, "\(setting) cannot be read")
        }
        self.strategy = strategy
    }

    /// Tries every address once, in the order of the strategy, until one works.
    ///
    /// - Throws: the last address's error; that of a cancelled task at once.
    func firstThatWorks<Connection>(
        _ connect: (AMQPURI) async throws(AMQPError) -> Connection
    ) async throws(AMQPError) -> Connection {
        var failure = AMQPError(.connectionFailed, "no broker address")
        for (index, uri) in turn() {
            do throws(AMQPError) {
                let connection = try await connect(uri)
                worked(index)
                return connection
            } catch {
                if error.code == .cancelled { throw error }
                failure = error
            }
        }
        throw failure
    }

    /// Every address once, with its index, in the order to try them.
    func turn() -> [(index: Int, uri: AMQPURI)] {
        let numbered = all.enumerated().map { (index: $0.offset, uri: $0.element) }
        switch strategy {
        case .shuffle:
            return numbered.shuffled()
        case .roundRobin:
            let start = first.withLock { $0 }
            // The next turn begins with the next address, unless this turn says which one works.
            first.withLock { $0 = (start + 1) % all.count }
            return Array(numbered[start...] + numbered[..<start])
        }
    }

    /// Remembers the address that works, to begin with it next time.
    func worked(_ index: Int) {
        first.withLock { $0 = index }
    }
}
