import Celery
import CeleryWorker
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Tasks that end their process in the ways in which programs end, and one beside them that does no harm.
struct CrashTasks {
    let notes: Notes

    func register(in tasks: inout TaskRegistry) {
        tasks.register("crash.fatal") { () -> Int in fatalError("as it was told") }
        tasks.register("crash.overflow") { () in overflow(1) }
        tasks.register("crash.leak") { (mebibytes: Int) async throws -> Int in try await Self.leak(mebibytes) }
        tasks.register("crash.keep") { (mebibytes: Int) in Self.kept.withLock { $0 += Self.blocks(mebibytes) } }
        tasks.register("crash.spin", options: .init(timeLimit: .seconds(1))) { () -> Int in Self.spin() }
        tasks.register("crash.exit") { (status: Int32) -> Int in exit(status) }
        tasks.register("crash.abort") { () -> Int in abort() }
        tasks.register("crash.signal") { (number: Int32) async throws -> Int in
            // Swift's own handler of SIGSEGV writes a backtrace and then expects the fault once more.
            for _ in 0..<100 {
                kill(getpid(), number)
                try await Task.sleep(for: .milliseconds(100))
            }
            return 0
        }
        tasks.register("crash.none") { (number: Int, seconds: Double) async throws -> Int in
            try await Task.sleep(for: .seconds(seconds))
            return number
        }
        tasks.register("crash.record", options: .init(acks: .late)) { [notes] (context: TaskContext, seconds: Double) in
            notes.begin(context.id)
            if !context.deliveryInfo.redelivered { try await Task.sleep(for: .seconds(seconds)) }
            notes.end(context.id)
            return seconds
        }
        tasks.register("crash.block", options: .init(acks: .late)) { [notes] (context: TaskContext, seconds: Double) in
            notes.begin(context.id)
            if !context.deliveryInfo.redelivered { usleep(UInt32(seconds * 1_000_000)) }
            notes.end(context.id)
            return seconds
        }
        tasks.register("crash.process") { () in Int(getpid()) }
    }

    /// What outlives the tasks.
    private static let kept = Mutex<[[UInt8]]>([])

    /// Takes memory, for long enough that it is seen.
    private static func leak(_ mebibytes: Int) async throws -> Int {
        let blocks = blocks(mebibytes)
        try await Task.sleep(for: .seconds(20))
        return blocks.count
    }

    /// So much memory, which was touched.
    private static func blocks(_ mebibytes: Int) -> [[UInt8]] {
        (0..<mebibytes).map { [UInt8](repeating: UInt8(truncatingIfNeeded: $0), count: 1 << 20) }
    }

    private static func spin() -> Int {
        var number = 1
        while number != 0 { number = (number &* 3) | 1 }
        return number
    }
}

/// Calls itself until the stack is full.
@inline(never)
private func overflow(_ number: Int) -> Int {
    let room = [number, number + 1]
    let deeper = number == 0 ? 0 : overflow(number + 1)
    return deeper &+ room[0]
}
