import CeleryProtocol

/// Tasks that were revoked while they wait in the worker.
extension Dispatcher {
    /// Discards what waits of revoked tasks, at once; Celery does so when their time has come.
    ///
    /// Tasks that wait for a time or a rate are found by their ids only; stamps are looked at when they are released.
    mutating func discardRevoked(_ ids: Set<String>) {
        let revocations = environment.check.revocations
        let lined = environment.pool.withdraw { revocations.match($0.envelope.headers) != nil }
        for request in lined where !environment.check.discards(request) { ready.append(request) }
        guard !ids.isEmpty else { return }
        let hashes = Set(ids.map(\.hashValue))
        var found = limiter.removeAll { hashes.contains($0.idHash) }
        if parked.contains(where: { hashes.contains($0.idHash) }) {
            found += parked.removeAll { hashes.contains($0.idHash) }
        }
        for delivery in found { discard(delivery) }
    }

    private mutating func discard(_ delivery: ParkedDelivery) {
        unpark(delivery)
        guard let request = unpack(delivery), !environment.check.discards(request) else { return }
        // Another task's id has the same hash.
        sources[delivery.epoch]?.credit.park(delivery.consumerTag)
        park(delivery)
    }
}
