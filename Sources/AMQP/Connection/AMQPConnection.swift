internal import DequeModule
public import Logging
internal import Synchronization

/// A connection to a broker, with a thread of its own on which librabbitmq works.
///
/// The actor's executor is that thread, so declarations and the like are awaited calls; acks and publishes are posts to
/// the thread's outbox and never wait. User code never runs on the thread. A connection that nobody refers to any more
/// is closed.
public actor AMQPConnection {
    /// Frames that are handled before posts get their turn.
    private static let frameBudget = 1024
    /// What connecting may take beyond its limits, as on a busy machine.
    private static let lookupSlack = Duration.seconds(1)
    /// How long the broker may take to answer our close.
    private static let closePatience = Duration.seconds(5)

    let configuration: ConnectionConfiguration
    let logger: Logger
    nonisolated let loop: ConnectionLoop
    nonisolated let watch: ConnectionWatch
    private nonisolated let ended = OneShot<AMQPError?>()
    nonisolated let blocked = BlockedMonitor()
    private nonisolated let stale = Atomic<Int>(0)
    nonisolated let unreadable = Atomic<Int>(0)
    var state = ConnectionStateMachine()
    var handle: ConnectionHandle?
    var channels: [UInt16: ChannelCore] = [:]
    private var nextSerial: UInt64 = 1
    private var hasMoreFrames = false
    /// Publishes of this turn whose room is to be freed.
    var written = ConnectionLoop.Written()

    /// The connection's thread.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private init(_ configuration: ConnectionConfiguration, _ logger: Logger) throws(AMQPError) {
        self.configuration = configuration
        self.logger = logger
        loop = try ConnectionLoop(
            publishMessages: configuration.publishBufferMessages,
            publishBytes: configuration.publishBufferBytes
        )
        watch = ConnectionWatch(loop: loop)
    }

    deinit {
        loop.stop()
    }

    /// Connects and logs in.
    ///
    /// - Throws: `AMQPError` with code `connectionFailed`, `authenticationFailed`, `tls` or `timeout`; `cancelled` where the
    ///   task was cancelled.
    public static func connect(
        _ configuration: ConnectionConfiguration,
        logger: Logger
    ) async throws(AMQPError) -> AMQPConnection {
        let connection = try AMQPConnection(configuration, logger)
        try connection.loop.start(
            name: "amqp-\(configuration.connectionName ?? "connection")",
            stackSize: configuration.stackSize,
            turn: { [weak connection] posts in connection?.assumeIsolated { $0.turn(posts) } },
            finish: { [weak connection] in connection?.assumeIsolated { $0.finishTurn() } }
        )
        try await connection.openInTime()
        return connection
    }

    /// Opens, or gives up: the system's look-up of a name takes as long as it likes, and the thread is lost to it until then.
    private nonisolated func openInTime() async throws(AMQPError) {
        let opened = OneShot<Result<Void, AMQPError>>()
        Task {
            do throws(AMQPError) {
                try await open()
                opened.fulfil(.success(()))
            } catch {
                opened.fulfil(.failure(error))
            }
        }
        // Reaching the broker and the handshake have a limit each.
        let limit = configuration.connectTimeout * 2 + Self.lookupSlack
        let timer = Task { [uri = configuration.uri] in
            guard (try? await Task.sleep(for: limit)) != nil else { return }
            opened.fulfil(.failure(AMQPError(.connectionFailed, "\(uri.redacted): not reached within \(limit)")))
        }
        let result = await opened.value()
        timer.cancel()
        guard let result else { throw AMQPError(.cancelled, "the task was cancelled while it connected") }
        try result.get()
    }

    private func open() throws(AMQPError) {
        do throws(AMQPError) {
            let handle = try ConnectionHandle(opening: configuration)
            try watch.start(
                descriptor: handle.descriptor,
                heartbeat: .seconds(handle.heartbeat),
                requestTimeout: configuration.requestTimeout
            )
            self.handle = handle
            state.opened()
            logger.debug(
                "connected to the broker",
                metadata: [
                    "broker": "\(configuration.uri.redacted)", "heartbeat": "\(handle.heartbeat)",
                    "frame_max": "\(handle.frameMax)",
                ]
            )
        } catch {
            fail(error)
            throw error
        }
    }

    // MARK: State

    /// Whether the broker takes no publishes for now (`connection.blocked`).
    public nonisolated var isBlocked: Bool { blocked.isBlocked }

    /// Whether the broker takes publishes, with its reason where it does not.
    public nonisolated var blockedState: BlockedState { blocked.current }

    /// Adds a handler that is told of each change of the blocked state from now on.
    ///
    /// A connection that ends while it is blocked counts as unblocked; its handlers are freed then.
    ///
    /// - Returns: The state before the first change that the handler is told of.
    @discardableResult
    public nonisolated func onBlockedChange(_ handler: @escaping BlockedHandler) -> BlockedState {
        blocked.onChange(handler)
    }

    /// Whether the connection has ended.
    public nonisolated var isClosed: Bool { ended.current != nil }

    /// Settlements that came too late: their channel had ended, or they were settled before.
    public nonisolated var staleSettlementCount: Int { stale.load(ordering: .relaxed) }

    /// Messages whose headers are nested too deeply to be read: deliveries are rejected without requeueing.
    public nonisolated var unreadableMessageCount: Int { unreadable.load(ordering: .relaxed) }

    /// The negotiated heartbeat; zero is off, nil after the end.
    public var negotiatedHeartbeat: Duration? { handle.map { .seconds($0.heartbeat) } }

    /// Waits for the end and tells its reason; nil where this side closed the connection, or the waiting task is cancelled.
    public nonisolated func waitUntilClosed() async -> AMQPError? {
        await ended.value() ?? nil
    }

    /// Closes the connection with all its channels and waits until that is done.
    ///
    /// A peer that takes nothing any more is waited for as long as for one that does not answer: 5 s.
    public nonisolated func close() async {
        watch.hurry(Self.closePatience)
        await closeOnThread()
    }

    private func closeOnThread() async {
        performPosts(loop.takePosts())
        if state.close(deadline: .now + Self.closePatience) {
            do throws(AMQPError) {
                flushSettlements()
                try handle?.sendClose()
            } catch {
                fail(error)
            }
        } else if handle == nil {
            end(nil)
        }
        _ = await ended.uncancellableValue()
    }

    // MARK: Channels

    /// Opens a channel.
    ///
    /// - Parameters:
    ///   - confirms: Whether the broker confirms each publish (`confirm.select`).
    ///   - onReturn: Told of mandatory messages that come back without a publish that waits for them; without a handler
    ///     they are logged.
    public func openChannel(
        confirms: Bool = false,
        onReturn: ReturnHandler? = nil
    ) async throws(AMQPError) -> AMQPChannel {
        guard let handle, state.isOpen else { throw refusal }
        guard let number = (1...UInt16(clamping: handle.channelMax)).first(where: { channels[$0] == nil }) else {
            throw AMQPError(.invalidArgument, "all \(handle.channelMax) channels of the connection are in use")
        }
        let id = ChannelID(number: number, serial: nextSerial)
        nextSerial += 1
        let core = ChannelCore(
            id: id,
            ended: OneShot(),
            maximumBodySize: configuration.maximumBodySize,
            confirmTimeout: configuration.confirmTimeout,
            onReturn: onReturn ?? logReturn
        )
        channels[number] = core
        _ = try await request(.channelOpen, on: id)
        if confirms {
            _ = try await request(.confirmSelect, on: id)
            core.isConfirming = true
        }
        return AMQPChannel(id: id, connection: self, frameMax: handle.frameMax, ended: core.ended)
    }

    private var logReturn: ReturnHandler {
        { [logger] returned in
            logger.warning(
                "no queue took a message",
                metadata: [
                    "exchange": "\(returned.message.exchange)", "routing_key": "\(returned.message.routingKey)",
                    "reason": "\(returned.replyText)",
                ]
            )
        }
    }

    /// Sends a request and waits for its answer.
    func request(
        _ method: ClientMethod,
        on id: ChannelID,
        consumer: ChannelCore.PendingConsumer? = nil
    ) async throws(AMQPError) -> ServerReply {
        try method.check(frameMax: handle?.frameMax ?? configuration.frameMax)
        do {
            // All in one step: the thread may take in frames wherever a suspension is possible, so the waiter has to be
            // in place before the request goes out.
            return try await withCheckedThrowingContinuation { continuation in
                begin(method, on: id, ChannelCore.Waiter(continuation: continuation, consumer: consumer))
            }
        } catch let error as AMQPError {
            throw error
        } catch {
            throw AMQPError(.protocolViolation, "\(error)")
        }
    }

    /// Closes a channel; requests after this are refused.
    func closeChannel(_ id: ChannelID) async {
        do throws(AMQPError) {
            _ = try await request(.channelClose(CloseReason(code: 200, text: "Goodbye")), on: id)
        } catch {
            logger.debug("the channel had ended before it was closed", metadata: ["error": "\(error)"])
        }
    }

    private func begin(_ method: ClientMethod, on id: ChannelID, _ waiter: ChannelCore.Waiter) {
        // Everything that was posted before a request goes out before it.
        performPosts(loop.takePosts())
        flushSettlements()
        guard let handle, state.isOpen else { return waiter.continuation.resume(throwing: refusal) }
        guard let core = channels[id.number], core.id == id, !core.isClosing else {
            return waiter.continuation.resume(throwing: AMQPError(.channelClosed, "the channel has been closed"))
        }
        core.replies.append(waiter, deadline: .now + configuration.requestTimeout)
        if case .channelClose = method { core.isClosing = true }
        do throws(AMQPError) {
            try handle.send(method, on: id.number)
        } catch {
            // Ends the channel, and so tells the waiter.
            fail(error)
        }
    }

    var refusal: AMQPError {
        state.refusal ?? AMQPError(.connectionClosed, "the connection has ended")
    }

    // MARK: One turn of the loop

    /// Takes in the frames that have come, then performs posts.
    private func turn(_ posts: [OutboxItem]) {
        drainFrames()
        performPosts(posts)
    }

    /// Writes what frames and jobs have left behind, frees their memory, and tells how long to wait.
    private func finishTurn() -> ConnectionLoop.Wait {
        for core in channels.values { core.flushBatches() }
        flushSettlements()
        freeRoom()
        handle?.releaseBuffers()
        endIfOverdue()
        guard let handle else { return .init(descriptor: -1, milliseconds: -1) }
        if hasMoreFrames { return .init(descriptor: -1, milliseconds: 0) }
        return .init(descriptor: handle.descriptor, milliseconds: patience(heartbeat: handle.heartbeat))
    }

    private func drainFrames() {
        hasMoreFrames = false
        for _ in 0..<Self.frameBudget {
            guard let handle else { return }
            do throws(AMQPError) {
                guard let frame = try handle.nextFrame() else { return }
                try accept(frame)
            } catch {
                return fail(error)
            }
        }
        hasMoreFrames = true
    }

    // MARK: Posts

    private func performPosts(_ posts: [OutboxItem]) {
        for post in posts {
            switch post {
            case .settle(let id, let tag, let settlement): settle(id, tag, settlement)
            case .publish(let id, let message): publish(id, message)
            case .refuse(let owner, let error): owner.complete(.failure(error))
            }
        }
    }

    private func settle(_ id: ChannelID, _ tag: UInt64, _ settlement: Settlement) {
        guard let core = channels[id.number], core.id == id, !core.isClosing else {
            stale.add(1, ordering: .relaxed)
            return
        }
        if !core.settlements.settle(tag, settlement) { stale.add(1, ordering: .relaxed) }
    }

    private func flushSettlements() {
        for core in channels.values where !core.isClosing {
            for method in core.settlements.flush() {
                guard let handle else { return }
                do throws(AMQPError) {
                    try handle.send(ClientMethod(method), on: core.id.number)
                } catch {
                    return fail(error)
                }
            }
        }
    }

    // MARK: End

    /// Ends the connection; where the guard has cut it, its reason counts, as the error is only what came of that.
    func fail(_ error: AMQPError) {
        let error = watch.failure ?? error
        logger.debug("the connection failed", metadata: ["error": "\(error)"])
        perform(state.failed(error))
    }

    func perform(_ action: ConnectionStateMachine.Action) {
        switch action {
        case .none: return
        case .acknowledgeCloseAndEnd(let error):
            try? handle?.sendCloseOK()
            end(error)
        case .end(let error): end(error)
        }
    }

    private func end(_ error: AMQPError?) {
        watch.withdraw()
        handle = nil
        hasMoreFrames = false
        let ending = channels.values
        channels = [:]
        for core in ending { end(core, error) }
        blocked.end()
        ended.fulfil(error)
    }
}
