/// Options of Celery's command line that this one does not have, so that whoever tries one is told why.
enum ForeignOptions {
    private static let notYet = "is not there yet"

    private static let reasons: [String: String] = [
        "-E": "\(notYet): this worker sends no events",
        "--task-events": "\(notYet): this worker sends no events",
        "--events": "\(notYet): this worker sends no events",
        "--without-gossip": "has no effect to offer: this worker takes no part in gossip",
        "--without-mingle": "has no effect to offer: this worker does not mingle",
        "--without-heartbeat": "has no effect to offer: this worker sends no event heartbeats",
        "--heartbeat-interval": "has no effect to offer: this worker sends no event heartbeats",
        "--time-limit": "\(notYet): set the limit where the task is registered or sent",
        "--soft-time-limit": "\(notYet): set the limit where the task is registered or sent",
        "--max-tasks-per-child": "\(notYet): it belongs to the pool of child processes",
        "--max-memory-per-child": "\(notYet): it belongs to the pool of child processes",
        "--pool-start-method": "\(notYet): it belongs to the pool of child processes",
        "--autoscale": notYet,
        "-O": "is not needed: a task is only handed to a free slot, which Celery calls 'fair'",
        "--optimization": "is not needed: a task is only handed to a free slot, which Celery calls 'fair'",
        "-B": "\(notYet): run 'celery beat' beside the workers",
        "--beat": "\(notYet): run 'celery beat' beside the workers",
        "-D": "does not exist: leave it to systemd, or to a container, to run the worker in the background",
        "--detach": "does not exist: leave it to systemd, or to a container, to run the worker in the background",
        "-f": "does not exist: redirect standard error",
        "--logfile": "does not exist: redirect standard error",
        "-S": "\(notYet): revoked tasks are not kept",
        "--statedb": "\(notYet): revoked tasks are not kept",
        "-I": "does not exist: a Swift worker's tasks are compiled into it",
        "--include": "does not exist: a Swift worker's tasks are compiled into it",
        "--serializer": "does not exist: arguments are sent as JSON",
        "--result-backend": "does not exist: results travel over rpc://",
    ]

    /// A remark on the first of these arguments that is an option of Celery's; nil if there is none.
    static func remark(on arguments: [String]) -> String? {
        for argument in arguments.prefix(while: { $0 != "--" }) {
            let name = argument.split(separator: "=", maxSplits: 1).first.map(String.init) ?? argument
            if let reason = reasons[name] { return "Celery's option \(name) \(reason)." }
        }
        return nil
    }
}
