/// The state of a task as results and events name it.
///
/// Source: `celery.states`. ``pending`` and ``received`` never travel in results, ``rejected`` and ``ignored`` neither.
public enum TaskState: Sendable, Hashable {
    /// Waiting, or unknown: nobody can tell the two apart.
    case pending
    /// A worker has the task.
    case received
    /// The task runs; only sent with `task_track_started`.
    case started
    /// The task returned a value.
    case success
    /// The task failed.
    case failure
    /// The task failed and is to be tried again.
    case retry
    /// The task was revoked or has expired.
    case revoked
    /// The task was rejected; only events say so.
    case rejected
    /// The task ended without a result.
    case ignored
    /// A state of the application's own, such as `PROGRESS`.
    case custom(String)

    /// Finds the state of a name on the wire.
    ///
    /// Names are compared as they are: a lower-case `success` is a custom state.
    public init(name: String) {
        self =
            switch name {
            case "PENDING": .pending
            case "RECEIVED": .received
            case "STARTED": .started
            case "SUCCESS": .success
            case "FAILURE": .failure
            case "RETRY": .retry
            case "REVOKED": .revoked
            case "REJECTED": .rejected
            case "IGNORED": .ignored
            default: .custom(name)
            }
    }

    /// The state's name on the wire.
    public var name: String {
        switch self {
        case .pending: "PENDING"
        case .received: "RECEIVED"
        case .started: "STARTED"
        case .success: "SUCCESS"
        case .failure: "FAILURE"
        case .retry: "RETRY"
        case .revoked: "REVOKED"
        case .rejected: "REJECTED"
        case .ignored: "IGNORED"
        case .custom(let name): name
        }
    }
}

extension TaskState {
    /// Whether the task is over (`READY_STATES`).
    public var isReady: Bool { self == .success || self == .failure || self == .revoked }

    /// Whether waiting for the result throws the task's error (`PROPAGATE_STATES`).
    public var isPropagated: Bool { self == .failure || self == .revoked }

    /// Whether the result is an exception (`EXCEPTION_STATES`).
    public var isException: Bool { self == .failure || self == .revoked || self == .retry }

    /// Place in Celery's order of states; a lower number is closer to the end of a task's life.
    ///
    /// Every state that Celery's order does not name stands right behind ``failure``.
    public var precedence: Int {
        switch self {
        case .success: 0
        case .failure: 1
        case .custom, .ignored: 2
        case .revoked: 3
        case .started: 4
        case .received: 5
        case .rejected: 6
        case .retry: 7
        case .pending: 8
        }
    }

    /// Whether this state counts more than another one, as when events arrive out of order.
    public func outranks(_ other: TaskState) -> Bool { precedence < other.precedence }
}

extension TaskState: CustomStringConvertible {
    /// The state's name on the wire.
    public var description: String { name }
}
