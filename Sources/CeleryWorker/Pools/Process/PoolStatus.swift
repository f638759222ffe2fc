/// The child processes of a worker at one moment.
///
/// Celery: the `pool` part of `inspect stats`.
public struct PoolStatus: Sendable, Hashable {
    /// What a child process does.
    public enum Phase: String, Sendable, Hashable {
        /// It was started and is not ready yet.
        case starting
        /// It waits for a task.
        case idle
        /// It runs a task.
        case busy
        /// It was told to end.
        case ending
    }

    /// One child process.
    public struct Child: Sendable, Hashable {
        /// Its process id.
        public let pid: Int
        /// What it does.
        public let phase: Phase
        /// How many tasks it was given so far.
        public let tasks: Int
        /// The id of the task that it runs.
        public let taskID: String?
    }

    /// How many tasks may run at a time.
    public let concurrency: Int
    /// The child processes, by process id; empty for pools that have none.
    public let children: [Child]
}
