/// What the signals that a worker gets make it do, and the exit code that follows: a pure value.
///
/// The steps, the texts and the exit codes are those that Celery's worker shows (`celery.apps.worker`). The codes of
/// Celery's are uneven: SIGTERM ends with 0, Ctrl+C with 1, a cold shutdown with 0. They are kept, because process managers
/// are set up for them.
struct ShutdownSequence: Sendable, Hashable {
    /// The signals that a worker hears.
    enum Signal: String, Sendable, CaseIterable {
        case terminate = "SIGTERM"
        case interrupt = "SIGINT"
        case quit = "SIGQUIT"
        /// Restarts the worker; only heard where no terminal is that could be closed.
        case hangUp = "SIGHUP"
        /// Asks what runs.
        case user1 = "SIGUSR1"
    }

    /// What is to be done upon a signal.
    enum Action: Sendable, Hashable {
        /// Stop taking tasks and let the running ones finish.
        case warm(messages: [String])
        /// Cancel the running tasks, after the soft shutdown's wait.
        case cold(messages: [String])
        /// Cancel them now.
        case cancel(messages: [String])
        /// End as for a warm shutdown, then start anew under the same process id.
        case restart
        /// Tell which tasks run.
        case report
        /// End the process at once.
        case exit
        /// Already under way.
        case none
    }

    private enum Phase: Sendable, Hashable {
        case running
        case warm(afterInterrupt: Bool)
        case cold
        case cancelled
    }

    private var phase: Phase = .running

    /// Whether a signal has told the worker to end, and not to start anew.
    var wasAskedToEnd: Bool { phase != .running && !restarts }
    /// Whether SIGTERM has the effect of SIGQUIT: Celery's variable `REMAP_SIGTERM=SIGQUIT`.
    private let remapsTerminate: Bool

    /// The exit code of a worker that ends as asked.
    private(set) var status: CommandStatus = .success
    /// Whether the process is to start anew when the worker has ended.
    private(set) var restarts = false

    init(remapsTerminate: Bool = false) {
        self.remapsTerminate = remapsTerminate
    }

    /// Takes note of a signal and says what to do.
    mutating func receive(_ signal: Signal) -> Action {
        switch signal {
        case .terminate where !remapsTerminate: terminate()
        case .terminate: quit(isForced: false)
        case .interrupt: interrupt()
        case .quit: quit(isForced: true)
        case .hangUp: hangUp()
        case .user1: .report
        }
    }

    private mutating func terminate() -> Action {
        // Who wants it to end does not want it to come back.
        guard phase == .running || restarts else { return .none }
        restarts = false
        phase = .warm(afterInterrupt: false)
        return .warm(messages: [Self.warmMessage])
    }

    private mutating func interrupt() -> Action {
        switch phase {
        case .running, .warm(afterInterrupt: false):
            phase = .warm(afterInterrupt: true)
            restarts = false
            status = .failure
            return .warm(messages: [Self.interruptMessage, Self.warmMessage])
        case .warm, .cold, .cancelled: return quit(isForced: true)
        }
    }

    /// The steps to a cold shutdown and beyond.
    ///
    /// A remapped SIGTERM never ends the process at once, as with Celery.
    private mutating func quit(isForced: Bool) -> Action {
        switch phase {
        case .running, .warm:
            phase = .cold
            status = .success
            restarts = false
            return .cold(messages: [Self.againMessage, Self.coldMessage])
        case .cold:
            phase = .cancelled
            return .cancel(messages: [Self.waitingMessage, Self.coldMessage])
        case .cancelled:
            guard isForced else { return .none }
            status = .failure
            return .exit
        }
    }

    private mutating func hangUp() -> Action {
        guard case .running = phase else { return .none }
        phase = .warm(afterInterrupt: false)
        restarts = true
        return .restart
    }

    private static let warmMessage = "worker: Warm shutdown (MainProcess)"
    private static let coldMessage = "worker: Cold shutdown (MainProcess)"
    private static let interruptMessage =
        "worker: Hitting Ctrl+C again will initiate cold shutdown, terminating all running tasks!"
    private static let againMessage = "worker: Hitting Ctrl+C again will terminate all running tasks!"
    private static let waitingMessage = "Waiting gracefully for cold shutdown to complete..."
}
