/// That somebody has a handle for a task, or for the tasks of a chain; ends with its last reference.
final class ResultInterest: Sendable {
    let backend: RPCResultBackend
    /// The tasks: a single one, or a chain's, first to last.
    let lineage: [String]

    init(backend: RPCResultBackend, lineage: [String]) {
        self.backend = backend
        self.lineage = lineage
        backend.register(lineage)
    }

    deinit {
        backend.unregister(lineage)
    }
}
