/// What the signals that a worker gets make it do, and the exit code that follows: a pure value.
///
/// The steps, the texts and the exit codes are those that Celery's worker shows. The codes of Celery's are uneven: SIGTERM
/// ends with 0, Ctrl+C with 1, a cold shutdown with 0. They are kept, because process managers are set up for them.
struct ShutdownSequence: Sendable, Hashable {
    /// The signals that end a worker.
    enum Signal: String, Sendable, CaseIterable {
        case terminate = "SIGTERM"
        case interrupt = "SIGINT"
        case quit = "SIGQUIT"
    }

    /// What is to be done upon a signal.
    enum Action: Sendable, Hashable {
        /// Stop taking tasks and let the running ones finish.
        case warm(messages: [String])
        /// Cancel the running tasks.
        case cold(messages: [String])
        /// End the process at once.
        case exit
        /// Already under way.
        case none
    }

    private enum Phase: Sendable, Hashable {
        case running
        case warm(afterInterrupt: Bool)
        case cold
    }

    private var phase: Phase = .running

    /// The exit code of a worker that ends as asked.
    private(set) var status: CommandStatus = .success

    /// Takes note of a signal and says what to do.
    mutating func receive(_ signal: Signal) -> Action {
        switch (phase, signal) {
        case (.running, .terminate):
            phase = .warm(afterInterrupt: false)
            return .warm(messages: [Self.warmMessage])
        case (.running, .interrupt):
            phase = .warm(afterInterrupt: true)
            status = .failure
            return .warm(messages: [Self.interruptMessage, Self.warmMessage])
        case (.warm(afterInterrupt: false), .interrupt):
            phase = .warm(afterInterrupt: true)
            status = .failure
            return .warm(messages: [Self.interruptMessage, Self.warmMessage])
        case (.warm, .terminate), (.cold, .terminate):
            return .none
        case (.running, .quit), (.warm, .quit), (.warm(afterInterrupt: true), .interrupt):
            phase = .cold
            status = .success
            return .cold(messages: [Self.againMessage, Self.coldMessage])
        case (.cold, .interrupt), (.cold, .quit):
            status = .failure
            return .exit
        }
    }

    private static let warmMessage = "worker: Warm shutdown (MainProcess)"
    private static let coldMessage = "worker: Cold shutdown (MainProcess)"
    private static let interruptMessage =
        "worker: Hitting Ctrl+C again will initiate cold shutdown, terminating all running tasks!"
    private static let againMessage = "worker: Hitting Ctrl+C again will end the worker at once!"
}
