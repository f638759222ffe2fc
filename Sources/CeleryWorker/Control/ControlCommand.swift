import CeleryProtocol

/// A command of remote control that a worker answers.
///
/// Celery: what `celery.worker.control.Panel` keeps of a function.
struct ControlCommand: Sendable {
    /// Runs the command, whose arguments were checked against the signature.
    typealias Body = @Sendable (_ arguments: JSONObject, _ worker: Worker) async throws -> ControlAnswer

    /// The command's name.
    let name: String
    /// An older name of it.
    let alias: String?
    /// Which arguments it takes.
    let signature: ControlSignature
    /// Whether it is an application's own, whose code may take its time.
    let isOwn: Bool
    private let body: Body

    init(
        _ name: String,
        alias: String? = nil,
        _ signature: ControlSignature = .none,
        isOwn: Bool = false,
        _ body: @escaping Body
    ) {
        self.name = name
        self.alias = alias
        self.signature = signature
        self.isOwn = isOwn
        self.body = body
    }

    /// Runs the command.
    ///
    /// - Throws: what goes into the reply as an exception.
    func run(_ arguments: JSONObject, on worker: Worker) async throws -> ControlAnswer {
        try signature.check(arguments, of: name)
        return try await body(arguments, worker)
    }
}
