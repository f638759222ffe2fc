/// The values of `--pool`: how the worker runs task bodies.
enum PoolName: String, Sendable {
    /// Structured tasks in this process, as many at a time as the concurrency allows.
    case tasks
    /// One task at a time.
    case solo

    /// Reads a pool's name, or Celery's name of a pool that does the same.
    ///
    /// - Throws: `OptionError` for names that have no meaning here, with what to use instead.
    init(parsing text: String) throws {
        switch text.lowercased() {
        case "tasks", "threads", "gevent", "eventlet": self = .tasks
        case "solo": self = .solo
        case "prefork", "processes":
            throw OptionError(
                """
                the pool of child processes ('\(text)') does not exist yet. \
                Use 'tasks', the default: it runs tasks concurrently in the worker's own process
                """
            )
        default:
            throw OptionError(
                "'\(text)' is not one of 'tasks', 'solo', nor an alias of tasks ('threads', 'gevent', 'eventlet')"
            )
        }
    }
}
