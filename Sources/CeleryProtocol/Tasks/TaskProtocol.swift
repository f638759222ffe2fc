/// The form that a task message came in.
public enum TaskProtocol: Sendable, Hashable {
    /// Protocol 1: everything in one map in the body. Senders of Celery 3 and `task_protocol = 1` use it.
    case version1
    /// Protocol 2: headers and a triple.
    case version2
    /// A body of protocol 1 below headers of protocol 2, which some senders in other languages produce.
    case hybrid
}
