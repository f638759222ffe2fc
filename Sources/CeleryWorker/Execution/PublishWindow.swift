import Synchronization

/// Counts what is posted and not answered yet, and holds callers up when that is too much.
///
/// Slots enter and the connection's thread leaves, many thousand times a second: both do without a lock as long as
/// nobody waits. Whoever is about to wait announces it first and looks at the count afterwards; whoever leaves counts
/// first and looks for announcements afterwards. In the one order of all sequentially consistent operations one of them
/// sees the other, so that no wake-up is lost.
final class PublishWindow: Sendable {
    private struct Sleepers {
        /// Callers that wait for room.
        var waiters: [CheckedContinuation<Void, Never>] = []
        /// Gates that open when nothing is left.
        var idle: [Gate<Void>] = []
    }

    private let messageLimit: Int
    private let byteLimit: Int
    private let messages = Atomic<Int>(0)
    private let bytes = Atomic<Int>(0)
    private let hasSleepers = Atomic<Bool>(false)
    private let sleepers = Mutex(Sleepers())

    /// Makes a window of so many messages with so many bytes in their bodies.
    init(messages: Int, bytes: Int = 64 << 20) {
        messageLimit = max(1, messages)
        byteLimit = max(1, bytes)
    }

    /// How many messages are in the window.
    var count: Int { messages.load(ordering: .sequentiallyConsistent) }

    /// Counts a message in; never waits.
    func enter(bytes count: Int) {
        bytes.add(count, ordering: .sequentiallyConsistent)
        messages.add(1, ordering: .sequentiallyConsistent)
    }

    /// Counts a message out, and wakes who may go on.
    func leave(bytes count: Int) {
        bytes.subtract(count, ordering: .sequentiallyConsistent)
        messages.subtract(1, ordering: .sequentiallyConsistent)
        if hasSleepers.load(ordering: .sequentiallyConsistent) { wake() }
    }

    /// Waits while the window is full.
    func waitForRoom() async {
        guard isFull else { return }
        await withCheckedContinuation { continuation in
            let mustWait = sleepers.withLock { sleepers -> Bool in
                hasSleepers.store(true, ordering: .sequentiallyConsistent)
                guard isFull else { return false }
                sleepers.waiters.append(continuation)
                return true
            }
            if !mustWait { continuation.resume() }
        }
    }

    /// Waits until nothing is in the window; false if that took longer than the limit.
    func waitUntilIdle(limit: Duration) async -> Bool {
        let gate = Gate<Void>()
        let isIdle = sleepers.withLock { sleepers -> Bool in
            hasSleepers.store(true, ordering: .sequentiallyConsistent)
            guard count > 0 else { return true }
            sleepers.idle.append(gate)
            return false
        }
        if isIdle { return true }
        return await gate.wait(limit: limit) != nil
    }

    private var isFull: Bool {
        count >= messageLimit || bytes.load(ordering: .sequentiallyConsistent) >= byteLimit
    }

    /// Callers are woken only when half is free again: else each answer would wake all of them for one message.
    private var isHalfEmpty: Bool {
        count <= messageLimit / 2 && bytes.load(ordering: .sequentiallyConsistent) <= byteLimit / 2
    }

    private func wake() {
        let (waiters, idle) = sleepers.withLock { sleepers -> ([CheckedContinuation<Void, Never>], [Gate<Void>]) in
            var woken: (waiters: [CheckedContinuation<Void, Never>], idle: [Gate<Void>]) = ([], [])
            if isHalfEmpty { swap(&woken.waiters, &sleepers.waiters) }
            if count == 0 { swap(&woken.idle, &sleepers.idle) }
            let isQuiet = sleepers.waiters.isEmpty && sleepers.idle.isEmpty
            if isQuiet { hasSleepers.store(false, ordering: .sequentiallyConsistent) }
            return woken
        }
        for waiter in waiters { waiter.resume() }
        for gate in idle { gate.open() }
    }
}
