import Synchronization

/// Does something again and again as long as a worker lives: on a thread of its own, so that it never holds up the worker.
package final class PeriodicReport: Sendable {
    private let executor = ThreadExecutor(label: "swcelery.report", maxThreads: 1, usualThreads: 1)
    private let ended = Gate<Void>()
    private let finished = Gate<Void>()
    private let hasStarted = Atomic(false)

    package init() {}

    /// Begins: at once, and then after each interval, provided that the worker answers.
    package func start(_ worker: Worker, every interval: Duration, _ body: @escaping @Sendable () -> Void) {
        guard !hasStarted.exchange(true, ordering: .relaxed) else { return }
        Task(executorPreference: executor) { [ended, finished] in
            while !ended.isOpen {
                let turn = Gate<Void>()
                worker.whenAnswered { turn.open() }
                let observer = ended.whenOpen { turn.open() }
                await turn.wait()
                ended.remove(observer)
                if !ended.isOpen { body() }
                _ = await ended.wait(limit: interval)
            }
            finished.open()
        }
    }

    /// Ends it: afterwards nothing is done any more, unless what is under way takes longer than two seconds.
    package func stop() async {
        ended.open()
        if hasStarted.load(ordering: .relaxed) { _ = await finished.wait(limit: .seconds(2)) }
    }
}
