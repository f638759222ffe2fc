internal import CeleryProtocol

/// What events tell of a worker.
///
/// Source of the rules: `celery.events.state.Worker`.
public struct ClusterWorker: Sendable, Hashable, Identifiable {
    /// The node's name.
    public let id: String
    /// Its process id.
    public private(set) var processID: Int?
    /// Seconds between its heartbeats; 60 until it has told.
    public private(set) var frequency = 60.0
    /// When it was heard last: seconds since 1970 by the receiver's clock; nil after `worker-offline`.
    public private(set) var lastHeard: Double?
    /// The Lamport clock of its last event.
    public private(set) var clock = 0
    /// Tasks that it runs.
    public private(set) var active: Int?
    /// Tasks that it has accepted since its start.
    public private(set) var processed: Int?
    /// The load averages of its machine, over 1, 5 and 15 minutes.
    public private(set) var loadAverages: [Double] = []
    /// Its software, such as `py-celery` or `swcelery`.
    public private(set) var software: String?
    /// The version of its software.
    public private(set) var softwareVersion: String?
    /// Its operating system.
    public private(set) var system: String?

    /// How many of its own intervals a worker may be silent.
    private static let expireWindow = 2.0
    /// Longest interval that is believed, in seconds.
    private static let longestFrequency = 86_400.0

    init(id: String) {
        self.id = id
    }

    /// Whether the worker is alive: it was heard within two of its intervals.
    ///
    /// - Parameter now: seconds since 1970.
    public func isAlive(at now: Double) -> Bool {
        guard let lastHeard else { return false }
        return now < lastHeard + frequency * Self.expireWindow
    }

    /// Takes an event of the worker itself in.
    mutating func apply(_ event: ClusterEvent, limits: ClusterState.Limits) {
        let fields = event.fields
        processID = fields["pid"]?.intValue ?? processID
        clock = event.clock
        if let seconds = fields["freq"]?.doubleValue, seconds > 0, seconds.isFinite {
            frequency = min(seconds, Self.longestFrequency)
        }
        active = fields["active"]?.intValue ?? active
        processed = fields["processed"]?.intValue ?? processed
        if let loads = fields["loadavg"]?.arrayValue { loadAverages = loads.prefix(3).compactMap { $0.doubleValue } }
        software = fields["sw_ident"]?.stringValue.map(limits.bounded) ?? software
        softwareVersion = fields["sw_ver"]?.stringValue.map(limits.bounded) ?? softwareVersion
        system = fields["sw_sys"]?.stringValue.map(limits.bounded) ?? system
        if event.subject == "offline" { lastHeard = nil } else { heard(event) }
    }

    /// Any event of a worker's tasks tells that it lives.
    mutating func heard(_ event: ClusterEvent) {
        guard let time = event.receivedAt else { return }
        lastHeard = max(lastHeard ?? time, time)
    }
}
