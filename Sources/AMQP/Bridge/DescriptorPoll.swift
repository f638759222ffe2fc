internal import CSystemShims

/// What one thread waits for: descriptors that become readable or writable, and wakes by other threads.
package final class DescriptorPoll: Sendable {
    /// How many ready descriptors one wait tells of.
    private static let capacity = 64

    private let poll: Int32
    private let wakeUp: swc_wake_t

    /// Makes a poll.
    ///
    /// - Throws: `AMQPError` with code `connectionFailed` where the system has no descriptors left.
    package init() throws(AMQPError) {
        poll = swc_poll_open()
        wakeUp = swc_wake_open()
        guard poll >= 0, wakeUp.read_end >= 0, swc_poll_add(poll, wakeUp.read_end, 0) == 0 else {
            throw AMQPError(.connectionFailed, "descriptors to wait for cannot be had")
        }
    }

    deinit {
        swc_poll_close(poll)
        swc_wake_close(wakeUp)
    }

    /// Waits for a descriptor from now on, under a number above zero; false where the system refuses.
    package func add(_ descriptor: Int32, token: UInt64) -> Bool { swc_poll_add(poll, descriptor, token) == 0 }

    /// Waits for the descriptor to be writable as well, or no longer.
    package func watchWriting(_ descriptor: Int32, token: UInt64, _ isWatched: Bool) {
        _ = swc_poll_watch_writing(poll, descriptor, token, isWatched ? 1 : 0)
    }

    /// Waits for the descriptor no longer; to be called before it is closed.
    package func remove(_ descriptor: Int32) { swc_poll_remove(poll, descriptor) }

    /// Ends the wait of another thread, now or the next one.
    package func wake() { swc_wake_signal(wakeUp) }

    /// The numbers of descriptors that are ready; waits for the first one if it is told to.
    package func ready(waiting: Bool) -> [UInt64] {
        let tokens = [UInt64](unsafeUninitializedCapacity: Self.capacity) { buffer, count in
            count = Int(swc_poll_wait(poll, waiting ? -1 : 0, buffer.baseAddress, Int32(Self.capacity)))
        }
        guard tokens.contains(0) else { return tokens }
        _ = swc_wake_wait(wakeUp, -1, 0)
        return tokens.filter { $0 != 0 }
    }
}
