public import Celery
public import CeleryProtocol
import Logging

// What can be asked of a worker while it runs; Celery's remote control commands of the same names.
extension Worker {
    /// Keeps tasks from starting, here and from now on (Celery's `revoke`).
    ///
    /// What of them waits in this worker is discarded at once; what comes later, when it comes. Their callers get the state
    /// REVOKED. The worker remembers 50,000 ids, the last ones, and with ``CeleryConfiguration/workerStateDB`` also after a
    /// restart. Other workers know nothing of it.
    ///
    /// - Parameters:
    ///   - ids: the tasks' ids.
    ///   - terminate: whether those that run are ended, too: cancelled in the pool `tasks`, killed in `processes`.
    ///   - signal: the name of the signal that a child process gets.
    /// - Returns: the ids of the running tasks that are ended.
    @discardableResult
    public func revoke(_ ids: [String], terminate: Bool = false, signal: String = "SIGTERM") -> [String] {
        guard !ids.isEmpty else { return [] }
        let unique = Set(ids)
        parts.revocations.add(ids: ids)
        parts.intake.post(.revoked(ids: unique))
        guard terminate else {
            let shown = ids.prefix(20).map(\.loggable).joined(separator: ", ")
            parts.logger.info("Tasks flagged as revoked: \(shown)", metadata: ["tasks": "\(ids.count)"])
            return []
        }
        return self.terminate(signal: signal) { unique.contains($0.id) }
    }

    /// Keeps tasks with these stamps from starting, here and from now on (Celery's `revoke_by_stamped_headers`).
    ///
    /// - Parameters:
    ///   - stamps: names of stamps, each with its revoked values; a stamp that is a list counts if any of its elements is
    ///     among them.
    ///   - terminate: whether those that run are ended, too.
    ///   - signal: the name of the signal that a child process gets.
    /// - Returns: the ids of the running tasks that are ended.
    @discardableResult
    public func revoke(
        stamps: [String: [JSONValue]],
        terminate: Bool = false,
        signal: String = "SIGTERM"
    ) -> [String] {
        guard !stamps.isEmpty else { return [] }
        parts.revocations.add(
            stamps: stamps.lazy.flatMap { name, values in
                values.map { Revocations.Stamp(name: name, value: $0) }
            }
        )
        parts.intake.post(.revoked(ids: []))
        let names = stamps.keys.sorted().map(\.loggable).joined(separator: ", ")
        parts.logger.info("Tasks flagged as revoked by their stamps: \(names)")
        guard terminate else { return [] }
        let given = Revocations()
        given.add(
            stamps: stamps.lazy.flatMap { name, values in
                values.map { Revocations.Stamp(name: name, value: $0) }
            }
        )
        return self.terminate(signal: signal) { given.match($0.envelope.headers) != nil }
    }

    /// Keeps the tasks of a workflow from starting, here and from now on, whichever of them is next.
    ///
    /// The workflow is known by its first task's id, which all of its tasks carry as `root_id`: of a chain the first step's,
    /// and inside of tasks the running one's root. (Of a group that a client sends each member is a root of its own: there,
    /// revoke the members.) The tasks' callers get the state REVOKED. Remembered as revoked ids are. Celery has no such
    /// revoke.
    ///
    /// - Parameters:
    ///   - root: the id of the workflow's first task.
    ///   - terminate: whether those that run are ended, too.
    ///   - signal: the name of the signal that a child process gets.
    /// - Returns: the ids of the running tasks that are ended.
    @discardableResult
    public func revoke(root: String, terminate: Bool = false, signal: String = "SIGTERM") -> [String] {
        parts.revocations.add(roots: [root])
        parts.intake.post(.revoked(ids: []))
        parts.logger.info("Tasks of the workflow \(root.loggable) flagged as revoked")
        guard terminate else { return [] }
        return self.terminate(signal: signal) { $0.envelope.headers.workflowID == root }
    }

    /// The first tasks' ids of the workflows that are revoked here, oldest first.
    public var revokedRoots: [String] { parts.revocations.roots }

    /// The ids that are revoked here, oldest first (Celery's `inspect revoked`).
    public var revokedIDs: [String] { parts.revocations.ids }

    /// Changes how often tasks of a type start on this worker, nil for no limit (Celery's `rate_limit`).
    ///
    /// What waits keeps its order and starts at the new rate.
    ///
    /// - Returns: whether there is such a task.
    @discardableResult
    public func setRateLimit(_ limit: RateLimit?, for task: String) -> Bool {
        guard let known = parts.dispatching.tasks[task] else {
            parts.logger.error("Rate limit attempt for unknown task \(task.loggable)")
            return false
        }
        let limit = limit.flatMap { $0.isOff ? nil : $0 }
        known.limits.change { $0.rate = limit }
        parts.intake.post(.rateLimit(limit, task: task))
        if let limit {
            parts.logger.info("New rate limit for tasks of type \(task): \(limit).")
        } else {
            parts.logger.info("Rate limits disabled for tasks of type \(task)")
        }
        return true
    }

    /// How often tasks of a type start on this worker; nil for no limit.
    public func rateLimit(of task: String) -> RateLimit? { parts.dispatching.tasks[task]?.limits.values.rate }

    /// Changes the time limits of a task's runs that start from now on; nil or zero for the settings' (Celery's `time_limit`).
    ///
    /// Limits that a message carries go before them.
    ///
    /// - Returns: whether there is such a task.
    @discardableResult
    public func setTimeLimits(hard: Duration?, soft: Duration?, for task: String) -> Bool {
        guard let known = parts.dispatching.tasks[task] else {
            parts.logger.error("Change time limit attempt for unknown task \(task.loggable)")
            return false
        }
        known.limits.change { limits in
            limits.hard = hard?.asLimit ?? parts.celery.taskTimeLimit
            limits.soft = soft?.asLimit ?? parts.celery.taskSoftTimeLimit
        }
        let texts = [soft, hard].map { $0.map { "\($0.seconds)" } ?? "None" }
        parts.logger.info("New time limits for tasks of type \(task): soft=\(texts[0]) hard=\(texts[1])")
        return true
    }

    private func terminate(signal: String, where condition: (TaskRequest) -> Bool) -> [String] {
        let found = parts.pool.running.filter(condition)
        for request in found {
            parts.logger.info("Terminating \(request.id.loggable) (\(signal))")
            request.interruption.interrupt(.revoked(signal: signal))
        }
        return found.map(\.id)
    }
}
