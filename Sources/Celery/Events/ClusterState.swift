internal import CeleryProtocol

/// The workers and tasks of a fleet, as their events tell: a value that events are applied to.
///
/// ```swift
/// var cluster = ClusterState()
/// for try await event in try EventReceiver(configuration: configuration, logger: logger) {
///     cluster.apply(event)
/// }
/// ```
/// It is bounded: beyond the limits, the tasks and workers go that were silent for longest. Source of the rules:
/// `celery.events.state.State`.
public struct ClusterState: Sendable {
    /// How much is remembered.
    public struct Limits: Sendable, Hashable {
        /// Most tasks; Celery's number.
        public var tasks = 10_000
        /// Most workers; Celery's number.
        public var workers = 5_000
        /// Most fields of a task's events beside the common ones.
        public var fieldsPerTask = 40
        /// Most bytes of a text; what is longer is cut.
        public var bytesPerText = 8_192

        /// Makes the default limits.
        public init() {}
    }

    /// Events that were applied.
    public private(set) var eventCount = 0
    /// Events by which workers said that they have received a task.
    public private(set) var taskCount = 0
    /// Events that lack what they need: an id, or who sent them.
    public private(set) var ignoredCount = 0
    private let limits: Limits
    private var taskTable: RecentTable<ClusterTask>
    private var workerTable: RecentTable<ClusterWorker>

    /// Makes a state that knows nothing.
    ///
    /// - Precondition: the limits are positive.
    public init(limits: Limits = Limits()) {
        self.limits = limits
        taskTable = RecentTable(capacity: limits.tasks)
        workerTable = RecentTable(capacity: limits.workers)
    }

    /// Takes an event in; groups other than `task` and `worker` are only counted.
    public mutating func apply(_ event: ClusterEvent) {
        eventCount += 1
        switch event.group {
        case "worker": applyToWorker(event)
        case "task": applyToTask(event)
        default: break
        }
    }

    private mutating func applyToWorker(_ event: ClusterEvent) {
        guard let name = identifier(event.hostname), event.timestamp != nil else {
            ignoredCount += 1
            return
        }
        // The farewell of a node that was never seen tells nothing.
        if event.subject == "offline", workerTable[name] == nil { return }
        workerTable.update(name, fresh: ClusterWorker(id: name)) { $0.apply(event, limits: limits) }
    }

    private mutating func applyToTask(_ event: ClusterEvent) {
        guard let id = identifier(event.taskID), let name = identifier(event.hostname), event.timestamp != nil else {
            ignoredCount += 1
            return
        }
        if event.subject != "sent" {
            workerTable.update(name, fresh: ClusterWorker(id: name)) { $0.heard(event) }
        }
        if event.subject == "received" { taskCount += 1 }
        taskTable.update(id, fresh: ClusterTask(id: id)) { $0.apply(event, limits: limits) }
    }

    private func identifier(_ text: String?) -> String? {
        guard let text, !text.isEmpty, text.utf8.count <= 255 else { return nil }
        return text
    }
}

extension ClusterState {
    /// The task of an id, where it is remembered.
    public func task(_ id: String) -> ClusterTask? { taskTable[id] }

    /// The tasks, the one with the latest event first.
    public var tasks: some Sequence<ClusterTask> { taskTable.newestFirst }

    /// How many tasks are remembered.
    public var rememberedTaskCount: Int { taskTable.count }

    /// How many tasks were forgotten because there were too many.
    public var forgottenTaskCount: Int { taskTable.evictedCount }

    /// The worker of a name, where it is remembered.
    public func worker(_ name: String) -> ClusterWorker? { workerTable[name] }

    /// All workers that are remembered, by their names.
    public var workers: [ClusterWorker] { workerTable.newestFirst.sorted { $0.id < $1.id } }

    /// Forgets everything.
    public mutating func removeAll() { self = ClusterState(limits: limits) }
}

extension ClusterState.Limits {
    /// A text that is not longer than allowed.
    func bounded(_ text: String) -> String {
        guard text.utf8.count > bytesPerText else { return text }
        return String(decoding: text.utf8.prefix(bytesPerText), as: UTF8.self) + "…"
    }

    /// A value that is not larger than allowed; maps and lists become their texts.
    func bounded(_ value: JSONValue) -> JSONValue {
        switch value {
        case .string(let text): .string(bounded(text))
        case .array, .object, .bytes: .string(PythonRepr.repr(value))
        case .bigInteger(let digits) where digits.utf8.count > bytesPerText: .string(bounded(digits))
        default: value
        }
    }
}
