import Celery

/// Exit codes of the commands, as Celery's command line uses them.
struct CommandStatus: Sendable, Hashable {
    /// The code that the process ends with.
    let code: Int32

    /// All went well.
    static let success = CommandStatus(code: 0)
    /// The command failed: a remote task failed, a wait ran out, a worker ended with an error.
    static let failure = CommandStatus(code: 1)
    /// The arguments are wrong.
    ///
    /// Click, which Celery uses, has 2 here.
    static let usage = CommandStatus(code: 2)
    /// What was asked for cannot be had: no broker there, no result to be read (`EX_UNAVAILABLE` of sysexits.h).
    static let unavailable = CommandStatus(code: 69)
    /// A file that has to be made cannot be: the pidfile of a worker that runs (`EX_CANTCREAT`).
    static let cannotCreate = CommandStatus(code: 73)
    /// A worker was connected and consumed nothing for too long: to be started again (`EX_TEMPFAIL` of sysexits.h).
    static let consumingStopped = CommandStatus(code: 75)
}

extension CommandStatus {
    /// The code for the error that a worker has ended with.
    init(endOfWorker error: any Error) {
        let isStopped = (error as? CeleryError)?.code == .consumingStopped
        self = isStopped ? .consumingStopped : .failure
    }
}
