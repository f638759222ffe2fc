import Celery

/// The revoked ids of a worker as it shares them with others.
///
/// Source of the rules: `merge_revoked` of `celery.worker.state` and `hello` of `celery.worker.control`.
struct RevokedIDs: Sendable {
    let revocations: Revocations
    let intake: Intake

    /// The ids for another worker, oldest first; those that have expired are left out.
    func shared(now: ContinuousClock.Instant = .now) -> [String] { revocations.freshIDs(now: now) }

    /// Takes over ids from another worker; those that wait here are discarded at once.
    func merge(_ ids: [String]) {
        guard !ids.isEmpty else { return }
        let new = Set(ids.lazy.filter { !revocations.contains($0) })
        revocations.add(ids: ids)
        if !new.isEmpty { intake.post(.revoked(ids: new)) }
    }
}
