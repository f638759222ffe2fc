import CeleryWorker

/// The values of `--pool`: how the worker runs task bodies.
enum PoolName: String, Sendable {
    /// Structured tasks in this process, as many at a time as the concurrency allows.
    case tasks
    /// One task at a time.
    case solo
    /// As many at a time as the concurrency allows, each in a child process.
    case processes

    /// Reads a pool's name, or Celery's name of a pool that does the same.
    ///
    /// - Throws: `OptionError` for names that have no meaning here.
    init(parsing text: String) throws {
        switch text.lowercased() {
        case "tasks", "threads", "gevent", "eventlet": self = .tasks
        case "solo": self = .solo
        case "prefork", "processes": self = .processes
        default:
            throw OptionError(
                """
                '\(text)' is not one of 'processes', 'tasks', 'solo', nor an alias of processes ('prefork') or tasks \
                ('threads', 'gevent', 'eventlet')
                """
            )
        }
    }

    /// The pool of this name.
    var pool: WorkerConfiguration.Pool {
        switch self {
        case .tasks: .tasks
        case .solo: .solo
        case .processes: .processes
        }
    }
}
