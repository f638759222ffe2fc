/// What the runs of a worker can call of its other tasks without a message: their bodies, and the errbacks.
final class TaskLibrary: Sendable {
    static let none = TaskLibrary([], errbacks: [:])

    private let bodies: [String: RegisteredTask.Body]
    private let errbacks: [String: Errback]

    init(_ tasks: some Sequence<RegisteredTask>, errbacks: [String: Errback]) {
        bodies = Dictionary(tasks.lazy.map { ($0.name, $0.body) }, uniquingKeysWith: { first, _ in first })
        self.errbacks = errbacks
    }

    /// The body of a task; nil for one that is not registered.
    func body(of task: String) -> RegisteredTask.Body? { bodies[task] }

    /// The errback of a name.
    func errback(_ name: String) -> Errback? { errbacks[name] }

    /// Whether there is any errback.
    var hasErrbacks: Bool { !errbacks.isEmpty }
}
