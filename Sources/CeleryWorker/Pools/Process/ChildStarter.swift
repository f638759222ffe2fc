import AMQP
import Celery
import Logging
import Synchronization

/// Starts child processes, and tries again later where that fails.
final class ChildStarter: Sendable {
    private struct State {
        var schedule = StartSchedule()
        var lastNumber = 0
        var living: [Int: ChildProcess] = [:]
        var onNone: (@Sendable () -> Void)?
    }

    /// How long a child has to live to have been of use without a task.
    private static let proof: Duration = .seconds(10)

    /// Opens when no child that starts up is waited for any more, unless a run needs it.
    let closed = Gate<Void>()
    /// Opens when the worker has to give up, because not one child could ever be started.
    let failure = Gate<CeleryError>()
    private let options: ProcessPoolOptions
    private let loop: ChildLoop
    private let state = Mutex(State())

    init(options: ProcessPoolOptions, loop: ChildLoop) {
        self.options = options
        self.loop = loop
    }

    /// All children that have not been collected.
    var living: [ChildProcess] { state.withLock { Array($0.living.values) } }

    /// Calls the closure once there are no children; now, if there are none.
    func whenNoneIsLeft(_ body: @escaping @Sendable () -> Void) {
        let isNow = state.withLock { state -> Bool in
            if state.living.isEmpty { return true }
            state.onNone = body
            return false
        }
        if isNow { body() }
    }

    /// A child that is ready for tasks; nil if none is wanted any more.
    ///
    /// Has to run on the loop.
    func start(isWanted: @Sendable () -> Bool) async -> ChildProcess? {
        while isWanted(), failure.value == nil {
            if let delay = state.withLock({ $0.schedule.delay(at: .now) }) {
                await pause(delay)
                continue
            }
            let begun = ContinuousClock.now
            do throws(CeleryError) {
                let child = try spawn()
                try await waitUntilUp(child)
                state.withLock { $0.schedule.succeeded() }
                return child
            } catch {
                noteFailure(error, begun: begun)
                // While the worker ends nobody waits through the back-off.
                if closed.isOpen { return nil }
            }
        }
        return nil
    }

    private func pause(_ delay: Duration) async {
        if closed.isOpen { return await Alarm.sleep(delay) }
        _ = await closed.wait(limit: delay)
    }

    private func spawn() throws(CeleryError) -> ChildProcess {
        let number = state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        let name = "ForkPoolWorker-\(number)"
        let handle: ChildHandle
        do {
            handle = try ChildHandle.spawn(
                executable: options.executable,
                name: options.executable ?? CommandLine.arguments.first ?? "worker",
                title: options.hostname,
                environment: "\(PoolChild.marker)=\(name)"
            )
        } catch {
            throw CeleryError(.childStartFailed, "a child process cannot be started", underlying: error)
        }
        let child = ChildProcess(name: name, handle: handle, loop: loop, maxPayload: options.maxPayload)
        options.counters.childStarts.add()
        state.withLock { $0.living[child.pid] = child }
        child.exited.whenOpen { [weak self] exit in self?.exited(child, exit) }
        child.open(
            ChildSetup(
                hostname: options.hostname,
                logLevel: options.logger.logLevel,
                maxPayload: options.maxPayload,
                celery: options.celery
            )
        )
        return child
    }

    private func waitUntilUp(_ child: ChildProcess) async throws(CeleryError) {
        let limit = options.celery.workerProcAliveTimeout
        switch await child.up.wait(limit: limit) {
        case true?: return
        case false?:
            let exit = await child.exited.wait()
            let reason = child.damage ?? "\(exit)"
            throw CeleryError(.childStartFailed, "a child process ended before it was ready: \(reason)")
        case nil:
            child.kill()
            throw CeleryError(
                .childStartFailed,
                """
                a child process was not ready for tasks within \(limit.seconds) s (worker_proc_alive_timeout). \
                Does the program's main function begin with CeleryApplication's or PoolChild.runIfStarted?
                """
            )
        }
    }

    private func exited(_ child: ChildProcess, _ exit: ProcessExit) {
        defer { noteUse(of: child, exit) }
        let onNone = state.withLock { state -> (@Sendable () -> Void)? in
            state.living[child.pid] = nil
            guard state.living.isEmpty else { return nil }
            defer { state.onNone = nil }
            return state.onNone
        }
        if child.isExpectedToLive, child.up.value == true {
            options.counters.childDeaths.add()
            // Celery's words.
            options.logger.error("Process '\(child.name)' pid:\(child.pid) exited with '\(exit)'")
            if let damage = child.damage { options.logger.error("What it sent cannot be read: \(damage)") }
        }
        onNone?()
    }

    /// A child that dies before it was of any use counts as a start that has failed.
    private func noteUse(of child: ChildProcess, _ exit: ProcessExit) {
        guard child.up.value == true else { return }
        if child.taskCount > 0 || child.start.duration(to: .now) > Self.proof {
            state.withLock { $0.schedule.proved() }
        } else if child.isExpectedToLive {
            let reason = child.damage ?? "\(exit)"
            noteFailure(CeleryError(.childStartFailed, "a child process has died idle: \(reason)"), begun: child.start)
        }
    }

    private func noteFailure(_ error: CeleryError, begun: ContinuousClock.Instant) {
        let verdict = state.withLock { $0.schedule.failed(begun: begun, at: .now) }
        guard let delay = verdict.newDelay else { return }
        if verdict.givesUp {
            failure.open(
                CeleryError(.childStartFailed, "not one child process could be started", underlying: error)
            )
            return
        }
        options.logger.error(
            "No child process can be started; no further task is taken meanwhile",
            metadata: ["error": "\(error)", "retry_in": "\(delay.seconds)"]
        )
    }
}
