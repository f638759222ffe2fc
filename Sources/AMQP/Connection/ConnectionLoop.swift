internal import CSystemShims
internal import Synchronization

/// A connection's thread: the serial executor of its actor, and the loop that moves frames.
///
/// Other threads hand it jobs (the actor's control calls) and posts (acks and publishes) through one mailbox; the wake
/// descriptor is written only if the thread sleeps, so that a burst costs one system call.
final class ConnectionLoop: SerialExecutor {
    /// What the loop waits for after a turn.
    struct Wait: Sendable {
        /// Socket to watch; -1 for none.
        var descriptor: Int32
        /// At most this long, in milliseconds; 0 goes on at once, negative has no limit.
        var milliseconds: Int32
    }

    fileprivate struct Mailbox {
        var jobs: [UnownedJob] = []
        var posts: [OutboxItem] = []
        var room: PublishRoom<OutboxItem>
        var sleeping = false
        var stopped = false
    }

    /// What has become of publishes: the room that they took is free again.
    struct Written: Sendable {
        var messages = 0
        var bytes = 0
    }

    private let mailbox: Mutex<Mailbox>
    private let wake: swc_wake_t
    private let thread = Atomic<UInt>(0)
    private let turns = Atomic<UInt>(0)

    /// Changes with each turn; odd within a turn, even while the thread sleeps.
    var turnCount: UInt { turns.load(ordering: .relaxed) }

    /// Makes a loop with room for so many publishes.
    init(publishMessages: Int, publishBytes: Int) throws(AMQPError) {
        mailbox = Mutex(Mailbox(room: PublishRoom(messages: publishMessages, bytes: publishBytes)))
        wake = swc_wake_open()
        guard wake.read_end >= 0 else { throw AMQPError(.connectionFailed, "no descriptor left for a wake") }
    }

    deinit {
        swc_wake_close(wake)
    }

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - name: The thread's name.
    ///   - stackSize: The thread's stack in bytes.
    ///   - turn: Moves frames and performs posts; nil when the connection is gone, which ends the thread.
    ///   - finish: Flushes what the jobs of the turn have left behind, and tells how long to wait.
    func start(
        name: String,
        stackSize: Int,
        turn: @escaping @Sendable ([OutboxItem]) -> Void,
        finish: @escaping @Sendable () -> Wait?
    ) throws(AMQPError) {
        try DetachedThread.start(name: name, stackSize: stackSize) { self.run(turn, finish) }
    }

    private func run(_ turn: ([OutboxItem]) -> Void, _ finish: () -> Wait?) {
        thread.store(UInt(swc_current_thread()), ordering: .releasing)
        // The mailbox and this thread exchange their arrays, so that both keep their room.
        var jobs: [UnownedJob] = []
        var posts: [OutboxItem] = []
        var turnCount: UInt = 1
        while true {
            turns.store(turnCount, ordering: .relaxed)
            let stopped = exchange(&jobs, &posts)
            turn(posts)
            posts.removeAll(keepingCapacity: true)
            for job in jobs { job.runSynchronously(on: asUnownedSerialExecutor()) }
            jobs.removeAll(keepingCapacity: true)
            guard let wait = finish(), !stopped else { return }
            if wait.milliseconds != 0, prepareToSleep() {
                turns.store(turnCount &+ 1, ordering: .relaxed)
                _ = swc_wake_wait(wake, wait.descriptor, wait.milliseconds)
                mailbox.withLock { $0.sleeping = false }
            }
            turnCount &+= 2
        }
    }

    private func exchange(_ jobs: inout [UnownedJob], _ posts: inout [OutboxItem]) -> Bool {
        mailbox.withLock { mailbox in
            swap(&mailbox.jobs, &jobs)
            swap(&mailbox.posts, &posts)
            return mailbox.stopped
        }
    }

    /// Takes the posts alone, so that a job finds everything done that was posted before it.
    func takePosts() -> [OutboxItem] {
        mailbox.withLock { mailbox in
            defer { mailbox.posts = [] }
            return mailbox.posts
        }
    }

    private func prepareToSleep() -> Bool {
        mailbox.withLock { mailbox in
            guard mailbox.jobs.isEmpty, mailbox.posts.isEmpty, !mailbox.stopped else { return false }
            mailbox.sleeping = true
            return true
        }
    }

    /// Posts a publish where there is room for it.
    func postPublish(_ id: ChannelID, _ publish: PendingPublish) -> Bool {
        let (taken, mustWake) = mailbox.withLock { mailbox in
            guard mailbox.room.take(bytes: publish.bytes) else { return (false, false) }
            mailbox.posts.append(.publish(id, publish))
            return (true, mailbox.wakeUp())
        }
        if mustWake { swc_wake_signal(wake) }
        return taken
    }

    /// Posts a publish as soon as there is room for it.
    func postPublishInTurn(_ id: ChannelID, _ publish: PendingPublish, _ ticket: PublishTicket) {
        let mustWake = mailbox.withLock { mailbox in
            guard mailbox.room.take(bytes: publish.bytes) else {
                mailbox.room.wait(ticket.id, .publish(id, publish), bytes: publish.bytes)
                return false
            }
            mailbox.posts.append(.publish(id, publish))
            return mailbox.wakeUp()
        }
        if mustWake { swc_wake_signal(wake) }
    }

    /// A publish that was given up waits for room no more.
    func giveUp(_ ticket: PublishTicket) {
        // What waits behind it may fit now.
        let mustWake = mailbox.withLock { mailbox in
            guard mailbox.room.giveUp(ticket.id) else { return false }
            mailbox.free(Written())
            return !mailbox.posts.isEmpty && mailbox.wakeUp()
        }
        if mustWake { swc_wake_signal(wake) }
    }

    /// Publishes were written, or refused: others get their room.
    func free(_ written: Written) {
        mailbox.withLock { $0.free(written) }
    }

    /// Posts an ack; never waits.
    func post(_ item: OutboxItem) {
        let mustWake = mailbox.withLock { mailbox in
            mailbox.posts.append(item)
            return mailbox.wakeUp()
        }
        if mustWake { swc_wake_signal(wake) }
    }

    /// Ends the thread after its present turn.
    func stop() {
        let mustWake = mailbox.withLock { mailbox in
            mailbox.stopped = true
            return mailbox.wakeUp()
        }
        if mustWake { swc_wake_signal(wake) }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let mustWake = mailbox.withLock { mailbox in
            mailbox.jobs.append(job)
            return mailbox.wakeUp()
        }
        if mustWake { swc_wake_signal(wake) }
    }

    var isOnThread: Bool {
        thread.load(ordering: .acquiring) == UInt(swc_current_thread())
    }

    func checkIsolated() {
        precondition(isOnThread, "a connection was used on a thread other than its own")
    }

    func isIsolatingCurrentContext() -> Bool? {
        isOnThread
    }
}

extension ConnectionLoop.Mailbox {
    fileprivate mutating func free(_ written: ConnectionLoop.Written) {
        posts.append(contentsOf: room.free(messages: written.messages, bytes: written.bytes))
    }

    /// Whether the thread has to be woken; the first one to ask does it.
    fileprivate mutating func wakeUp() -> Bool {
        defer { sleeping = false }
        return sleeping
    }
}
