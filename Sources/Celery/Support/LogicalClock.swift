import Synchronization

/// Lamport's clock of one process: orders events of machines whose clocks differ (`kombu.clocks.LamportClock`).
///
/// It starts at 0. Whatever is sent carries `forward()`, whatever is received is told to `adjust(_:)`.
package final class LogicalClock: Sendable {
    private let time: Mutex<Int>

    /// Makes a clock.
    package init(_ start: Int = 0) { time = Mutex(start) }

    /// The time of the last step.
    package var value: Int { time.withLock { $0 } }

    /// Takes a step, and answers the time after it.
    @discardableResult
    package func forward() -> Int {
        time.withLock { time in
            if time < .max { time += 1 }
            return time
        }
    }

    /// Takes the step of having received something of that time; what a stranger sends cannot make it overflow.
    @discardableResult
    package func adjust(_ other: Int) -> Int {
        time.withLock { time in
            time = max(time, min(other, .max - 1_000_000_000))
            if time < .max { time += 1 }
            return time
        }
    }
}
