import Celery

/// What a registry brings to its worker besides tasks: middlewares and handlers of signals.
///
/// Shared and not copied, since every task refers to it.
final class WorkerHooks: Sendable {
    /// No hooks.
    static let none = WorkerHooks(middlewares: [], publishing: [], signals: SignalTable())

    /// Around the runs of tasks, the outermost first.
    let middlewares: [any TaskMiddleware]
    /// Around the publishing of task messages.
    let publishing: PublishMiddlewares
    let signals: SignalTable
    /// Whether anybody wants to know of runs.
    let watchesRuns: Bool

    init(middlewares: [any TaskMiddleware], publishing: [any PublishMiddleware], signals: SignalTable) {
        self.middlewares = middlewares
        self.publishing = PublishMiddlewares(publishing)
        self.signals = signals
        watchesRuns = signals.watchesRuns
    }
}
