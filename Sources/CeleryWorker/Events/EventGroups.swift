import CeleryProtocol

/// Which groups of events a worker sends (`celery.events.dispatcher.EventDispatcher.groups`).
///
/// A worker started with `-E` has no list of groups, which means all of them. As in Celery, `disable_events` takes the group
/// of tasks out of the list; where there is no list it changes nothing.
struct EventGroups: Sendable, Hashable {
    private static let task = "task"

    /// The groups that are sent; empty for all.
    private(set) var names: Set<String>

    /// Makes the groups of a worker.
    init(sendsTaskEvents: Bool) {
        names = sendsTaskEvents ? [] : ["worker"]
    }

    /// Whether events of a group are sent.
    func contains(_ group: String) -> Bool { names.isEmpty || names.contains(group) }

    /// Whether events of tasks are sent.
    var containsTasks: Bool { contains(Self.task) }

    /// Sends events of tasks from now on; false if they were sent already.
    mutating func enableTasks() -> Bool {
        guard !names.isEmpty else { return false }
        return names.insert(Self.task).inserted
    }

    /// Sends no events of tasks any more; false if their group was not in the list.
    mutating func disableTasks() -> Bool { names.remove(Self.task) != nil }
}
