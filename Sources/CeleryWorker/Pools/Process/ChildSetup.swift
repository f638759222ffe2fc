import Celery
import CeleryProtocol
import Logging

/// What a child process has to know before its first task.
///
/// The tasks themselves it registers as its worker did: both run the same program.
struct ChildSetup: Sendable {
    /// The node name of the worker.
    var hostname: String
    /// The worker's log level.
    var logLevel: Logger.Level
    /// Largest payload that the worker takes.
    var maxPayload: Int
    /// The settings that tasks are made with; of others the defaults.
    var celery: CeleryConfiguration
}

extension ChildSetup {
    var json: JSONValue {
        .object([
            "hostname": .string(hostname),
            "log_level": .string(logLevel.rawValue),
            "max_payload": .int(maxPayload),
            "task_acks_late": .bool(celery.taskAcksLate),
            "task_acks_on_failure_or_timeout": .bool(celery.taskAcksOnFailureOrTimeout),
            "task_acks_on_failure": JSONValue(flag: celery.taskAcksOnFailure),
            "task_acks_on_timeout": JSONValue(flag: celery.taskAcksOnTimeout),
            "task_reject_on_worker_lost": .bool(celery.taskRejectOnWorkerLost),
            "task_retry_on_worker_lost": .bool(celery.taskRetryOnWorkerLost),
            "task_store_errors_even_if_ignored": .bool(celery.taskStoreErrorsEvenIfIgnored),
            "task_ignore_result": .bool(celery.taskIgnoreResult),
            "task_track_started": .bool(celery.taskTrackStarted),
            "task_time_limit": JSONValue(pipe: celery.taskTimeLimit),
            "task_soft_time_limit": JSONValue(pipe: celery.taskSoftTimeLimit),
        ])
    }

    init(_ json: JSONValue) throws(FrameBuffer.Damaged) {
        guard let hostname = json["hostname"]?.stringValue,
            let level = json["log_level"]?.stringValue.flatMap(Logger.Level.init(rawValue:)),
            let maxPayload = json["max_payload"]?.intValue
        else { throw FrameBuffer.Damaged(reason: "the settings of a child cannot be read") }
        self.init(
            hostname: hostname,
            logLevel: level,
            maxPayload: maxPayload,
            celery: Self.celery(json)
        )
    }

    private static func celery(_ json: JSONValue) -> CeleryConfiguration {
        var celery = CeleryConfiguration()
        func set(_ name: String, _ path: WritableKeyPath<CeleryConfiguration, Bool>) {
            if let flag = json[name]?.boolValue { celery[keyPath: path] = flag }
        }
        set("task_acks_late", \.taskAcksLate)
        set("task_acks_on_failure_or_timeout", \.taskAcksOnFailureOrTimeout)
        set("task_reject_on_worker_lost", \.taskRejectOnWorkerLost)
        set("task_retry_on_worker_lost", \.taskRetryOnWorkerLost)
        set("task_store_errors_even_if_ignored", \.taskStoreErrorsEvenIfIgnored)
        set("task_ignore_result", \.taskIgnoreResult)
        set("task_track_started", \.taskTrackStarted)
        celery.taskAcksOnFailure = json["task_acks_on_failure"]?.boolValue
        celery.taskAcksOnTimeout = json["task_acks_on_timeout"]?.boolValue
        celery.taskTimeLimit = json["task_time_limit"]?.pipeDuration
        celery.taskSoftTimeLimit = json["task_soft_time_limit"]?.pipeDuration
        return celery
    }
}
