import CeleryProtocol

/// Discards tasks that are not to start any more, because they have expired or were revoked.
///
/// Celery: `celery.worker.request.Request.revoked`, where an expiry comes before a revoke.
struct RevocationCheck: Sendable {
    let revocations: Revocations
    let finisher: Finisher

    /// Whether the request does not start any more; its caller is told, and its delivery settled, if so.
    func discards(_ request: TaskRequest) -> Bool {
        if let expires = request.expires, expires < WorkerClock.now() {
            finisher.expire(request)
            return true
        }
        guard let match = revocations.match(request.envelope.headers) else { return false }
        finisher.revoke(request, match)
        return true
    }
}
