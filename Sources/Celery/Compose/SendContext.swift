package import FoundationEssentials

/// What a send needs to know of its surroundings: the sender, the time, and the task that is running, if any.
package struct SendContext: Sendable {
    /// The time of sending.
    package var now: Date
    /// Who sends: `gen<pid>@<host>`.
    package var origin: String
    /// The sender's reply queue; nil where nobody waits for results.
    package var replyTo: String?
    /// The running task that sends; nil for a client.
    package var parentID: String?
    /// The first task of the workflow that the running task belongs to.
    package var rootID: String?
    /// The running task's priority, where `task_inherit_parent_priority` hands it on.
    package var inheritedPriority: UInt8?
    /// The own options of a task that the sender has registered; nil for a task that it knows by name only.
    package var registered: @Sendable (String) -> TaskOptions?
    /// Makes task ids.
    package var makeID: @Sendable () -> String

    /// Makes a context; without a running task by default.
    package init(
        now: Date = Date(),
        origin: String = ProcessIdentity.origin,
        replyTo: String? = nil,
        parentID: String? = nil,
        rootID: String? = nil,
        inheritedPriority: UInt8? = nil,
        registered: @escaping @Sendable (String) -> TaskOptions? = { _ in nil },
        makeID: @escaping @Sendable () -> String = { TaskID.make() }
    ) {
        self.now = now
        self.origin = origin
        self.replyTo = replyTo
        self.parentID = parentID
        self.rootID = rootID
        self.inheritedPriority = inheritedPriority
        self.registered = registered
        self.makeID = makeID
    }
}
