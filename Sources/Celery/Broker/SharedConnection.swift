internal import AMQP
internal import Synchronization

/// A connection that many use: opened by the first who needs it, opened anew by the next after it was lost.
final class SharedConnection<Session: Sendable>: Sendable {
    /// The connection of the moment.
    struct Lease: Sendable {
        /// Which connection this is, counted from 1.
        let epoch: Int
        /// What was set up on it.
        let session: Session
    }

    fileprivate enum Phase {
        case idle
        case connecting(Pending<Lease>)
        case open(Lease, any BrokerConnection)
        case closed
    }

    fileprivate struct State {
        var phase = Phase.idle
        var epoch = 0
    }

    /// How long opening may take, with all addresses and what is set up; each step has a shorter limit of its own.
    private let openLimit: Duration
    private let broker: any Broker
    private let role: BrokerRole
    private let setup: @Sendable (any BrokerConnection, _ epoch: Int) async throws(AMQPError) -> Session
    private let state = Mutex(State())

    /// Makes a connection that is not open yet.
    ///
    /// - Parameters:
    ///   - broker: where it comes from.
    ///   - role: what it is for.
    ///   - openLimit: how long opening and setting up may take; whoever waits gets an error then.
    ///   - setup: sets up what is used on a fresh connection.
    init(
        broker: any Broker,
        role: BrokerRole,
        openLimit: Duration = .seconds(120),
        setup: @escaping @Sendable (any BrokerConnection, _ epoch: Int) async throws(AMQPError) -> Session
    ) {
        self.broker = broker
        self.role = role
        self.openLimit = openLimit
        self.setup = setup
    }

    deinit {
        // The task that watches the connection refers to it, so that it would not close by itself.
        guard case .open(_, let connection) = state.withLock({ $0.phase }) else { return }
        Task { await connection.close() }
    }

    /// The connection, opened if necessary.
    ///
    /// - Throws: ``CeleryError`` with the code of what failed, `.closed` or `.cancelled`.
    func lease() async throws(CeleryError) -> Lease {
        let pending: Pending<Lease>
        switch state.withLock({ $0.enter() }) {
        case .ready(let lease):
            return lease
        case .closed:
            throw CeleryError(.closed, "the client has been shut down")
        case .wait(let other):
            pending = other
        case .open(let own, let epoch):
            pending = own
            // A task of its own: a caller who gives up must not take the connection from the others.
            Task {
                let limit = Task { [openLimit] in
                    if (try? await Task.sleep(for: openLimit)) != nil { giveUp(own, epoch: epoch) }
                }
                await open(own, epoch: epoch)
                limit.cancel()
            }
        }
        return try await pending.value()
    }

    /// Ends an opening that takes too long; a connection that comes of it later is closed at once.
    private func giveUp(_ pending: Pending<Lease>, epoch: Int) {
        state.withLock { state in
            if case .connecting = state.phase, state.epoch == epoch { state.phase = .idle }
        }
        pending.settle(.failure(CeleryError(.timeout, "the broker could not be used within \(openLimit)")))
    }

    /// Gives up a connection, if it is still the one of the moment; the next who needs one gets a new one.
    func invalidate(_ epoch: Int) {
        let connection: (any BrokerConnection)? = state.withLock { state in
            guard case .open(let lease, let connection) = state.phase, lease.epoch == epoch else { return nil }
            state.phase = .idle
            return connection
        }
        guard let connection else { return }
        Task { await connection.close() }
    }

    /// Whether a connection is open.
    var isOpen: Bool {
        if case .open = state.withLock({ $0.phase }) { true } else { false }
    }

    /// What is set up on the connection that is open; nil where none is.
    var session: Session? {
        if case .open(let lease, _) = state.withLock({ $0.phase }) { lease.session } else { nil }
    }

    /// Closes the connection for good.
    func close() async {
        let phase = state.withLock { state in
            defer { state.phase = .closed }
            return state.phase
        }
        switch phase {
        case .open(_, let connection): await connection.close()
        case .connecting(let pending): pending.settle(.failure(CeleryError(.closed, "the client has been shut down")))
        case .idle, .closed: break
        }
    }

    private func open(_ pending: Pending<Lease>, epoch: Int) async {
        do throws(AMQPError) {
            let connection = try await broker.connect(role)
            do throws(AMQPError) {
                let lease = Lease(epoch: epoch, session: try await setup(connection, epoch))
                await opened(lease, connection, pending)
            } catch {
                await connection.close()
                throw error
            }
        } catch {
            state.withLock { state in
                if case .connecting = state.phase, state.epoch == epoch { state.phase = .idle }
            }
            pending.settle(.failure(CeleryError(error, "the broker cannot be used")))
        }
    }

    private func opened(_ lease: Lease, _ connection: any BrokerConnection, _ pending: Pending<Lease>) async {
        let isWanted = state.withLock { state in
            guard case .connecting = state.phase, state.epoch == lease.epoch else { return false }
            state.phase = .open(lease, connection)
            return true
        }
        guard isWanted else {
            await connection.close()
            return
        }
        pending.settle(.success(lease))
        let epoch = lease.epoch
        Task { [weak self] in
            _ = await connection.waitUntilClosed()
            self?.invalidate(epoch)
        }
    }
}

extension SharedConnection {
    fileprivate enum Entry {
        case ready(Lease)
        case wait(Pending<Lease>)
        case open(Pending<Lease>, epoch: Int)
        case closed
    }
}

extension SharedConnection.State {
    fileprivate mutating func enter() -> SharedConnection.Entry {
        switch phase {
        case .open(let lease, _):
            return .ready(lease)
        case .connecting(let pending):
            return .wait(pending)
        case .closed:
            return .closed
        case .idle:
            epoch += 1
            let pending = Pending<SharedConnection.Lease>()
            phase = .connecting(pending)
            return .open(pending, epoch: epoch)
        }
    }
}
