/// Whether a worker lives, has come up, and can take tasks: what probes ask.
public struct WorkerHealth: Sendable, Hashable {
    /// Where a worker is in its life.
    public enum Phase: String, Sendable, Hashable {
        /// It has not consumed all of its queues yet.
        case starting
        /// It takes tasks.
        case running
        /// It was told to end; running tasks may still go on.
        case stopping
        /// It has ended.
        case ended
    }

    /// Where the worker is in its life.
    public let phase: Phase
    /// Whether its publishing connection is there.
    public let isConnected: Bool
    /// The queues that it is to consume.
    public let queues: [ConsumedQueue]

    /// Describes a worker.
    public init(phase: Phase, isConnected: Bool, queues: [ConsumedQueue]) {
        self.phase = phase
        self.isConnected = isConnected
        self.queues = queues
    }

    /// Whether all queues were consumed at one time.
    public var hasStarted: Bool { phase != .starting }

    /// Whether the worker is connected, consumes from all of its queues, and does not end.
    public var isReady: Bool { obstacle == nil }

    /// Why the worker is not ready, in one line; nil where it is.
    public var obstacle: String? {
        switch phase {
        case .starting where isConnected: return "starting: \(missing.isEmpty ? "nothing is consumed yet" : missing)"
        case .starting: return "starting: not connected to the broker"
        case .stopping: return "shutting down"
        case .ended: return "the worker has ended"
        case .running: break
        }
        guard isConnected else { return "not connected to the broker" }
        return missing.isEmpty ? nil : missing
    }

    private var missing: String {
        let names = queues.filter { !$0.isConsumed }.map(\.name)
        guard let first = names.first else { return "" }
        guard names.count > 1 else { return "queue '\(first)' is not consumed" }
        return "\(names.count) queues are not consumed, among them '\(first)'"
    }
}
