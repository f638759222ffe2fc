import CeleryProtocol
public import FoundationEssentials
import Synchronization

/// A task that a worker runs at the moment.
public struct RunningTask: Sendable, Hashable {
    /// The task's id.
    public let id: String
    /// The task's name, as its message has it.
    public let name: String
    /// When its body began; nil if it is about to.
    public let startedAt: Date?
    /// The child process that runs it; nil where it runs in the worker's own process.
    public let processID: Int?
    /// Whether its message is acknowledged after its end, so that it would come again.
    public let acksLate: Bool
}

extension RunningTask {
    init(_ request: TaskRequest) {
        let microseconds = request.startedAt.load(ordering: .relaxed)
        let process = request.processID.load(ordering: .relaxed)
        self.init(
            id: request.id,
            name: request.envelope.headers.task,
            startedAt: microseconds == 0 ? nil : Date(timeIntervalSince1970: Double(microseconds) / 1e6),
            processID: process == 0 ? nil : process,
            acksLate: request.acksLate
        )
    }
}
