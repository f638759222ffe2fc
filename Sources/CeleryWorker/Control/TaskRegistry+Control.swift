public import CeleryProtocol

extension TaskRegistry {
    /// Adds a command of remote control, which `celery control`, `celery inspect`, `swcelery` and every client can call by its
    /// name.
    ///
    /// ```swift
    /// registry.control("log_level") { arguments, worker in
    ///     guard let level = arguments["level"]?.stringValue else {
    ///         throw TaskError(type: "ValueError", "log_level needs a level")
    ///     }
    ///     return ["ok": .string("\(worker.hostname) logs from \(level) on")]
    /// }
    /// ```
    ///
    /// What it returns is the reply; Celery's own commands answer `{"ok": …}` and `{"error": …}` where they change something.
    /// What it throws becomes `{"error": "Type('message')"}`. It runs where all code of applications runs, at most 16 of them
    /// at a time, and is cancelled after a minute. A name that is taken is reported when the worker is made. Celery:
    /// `control_command` and `inspect_command` of `celery.worker.control`.
    ///
    /// - Parameters:
    ///   - name: the command's name.
    ///   - body: gets the arguments by name, and the worker.
    public mutating func control(
        _ name: String,
        _ body: @escaping @Sendable (_ arguments: JSONObject, _ worker: Worker) async throws -> JSONValue
    ) {
        controls.append(
            ControlCommand(name, isOwn: true) { arguments, worker in .reply(try await body(arguments, worker)) }
        )
    }

    /// Adds a command of remote control with arguments and a reply of Swift types.
    ///
    /// ```swift
    /// struct Threshold: Decodable { let queue: String, seconds: Double? }
    /// registry.control("threshold") { (arguments: Threshold, worker) in ["ok": "\(arguments.queue) is watched"] }
    /// ```
    ///
    /// Arguments that do not fit are answered with a `TypeError`, without the command being run.
    public mutating func control<Arguments: Decodable & SendableMetatype, Reply: Encodable & SendableMetatype>(
        _ name: String,
        _ body: @escaping @Sendable (_ arguments: Arguments, _ worker: Worker) async throws -> Reply
    ) {
        controls.append(
            ControlCommand(name, isOwn: true) { values, worker in
                let arguments: Arguments
                do {
                    arguments = try JSONValueDecoder().decode(Arguments.self, from: .object(values))
                } catch {
                    throw TaskError.type("\(name)() got wrong arguments: \(ArgumentComplaint.text(of: error))")
                }
                return .reply(try ResultEncoding.encode(try await body(arguments, worker)))
            }
        )
    }
}

/// What is wrong with arguments, without any of their values.
private enum ArgumentComplaint {
    static func text(of error: any Error) -> String {
        switch error {
        case DecodingError.keyNotFound(let key, _): "'\(key.stringValue)' is missing"
        case DecodingError.typeMismatch(let type, let context), DecodingError.valueNotFound(let type, let context):
            "'\(context.codingPath.map(\.stringValue).joined(separator: "."))' is no \(type)"
        case DecodingError.dataCorrupted(let context):
            "'\(context.codingPath.map(\.stringValue).joined(separator: "."))' cannot be read"
        default: "\(type(of: error))"
        }
    }
}
