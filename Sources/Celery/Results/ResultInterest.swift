/// That somebody has a handle for a task, or for the tasks of a chain; ends with its last reference.
final class ResultInterest: Sendable {
    let backend: RPCResultBackend
    /// The tasks: a single one, or a chain's, first to last.
    let lineage: [String]

    /// Tasks, among others, whose results never come in.
    let ignored: Set<String>

    init(backend: RPCResultBackend, lineage: [String], ignored: Set<String> = []) {
        self.backend = backend
        self.lineage = lineage
        self.ignored = ignored
        backend.register(lineage)
    }

    deinit {
        backend.unregister(lineage)
    }
}
