import CeleryWorker
import NIOCore

/// Finds the answers to requests.
struct Responder: Sendable {
    private let worker: Worker
    private let probe: LifeProbe

    init(worker: Worker, patience: TimeAmount) {
        self.worker = worker
        probe = LifeProbe(patience: patience) { worker.whenAnswered($0) }
    }

    /// Answers a request: at once, or when the worker has shown that it lives.
    func respond(
        _ method: Response.Method,
        _ path: String,
        on loop: any EventLoop,
        _ answer: @escaping @Sendable (Response) -> Void
    ) {
        guard method != .other else { return answer(.notAllowed) }
        switch path {
        case "/live": probe.ask(on: loop) { answer($0 ? .live : .notLive) }
        case "/ready": answer(.ready(worker.health))
        case "/startup": answer(.startup(worker.health))
        case "/metrics": answer(.metrics(MetricsPage(worker)))
        default: answer(.unknown)
        }
    }
}
