import Celery
import CeleryProtocol

/// The commands of remote control that a worker answers, by name (`celery.worker.control.Panel`).
struct ControlPanel: Sendable {
    /// Celery's own commands, but for those that mean nothing to a worker in Swift.
    static let celery: [ControlCommand] =
        ControlCommand.asking + ControlCommand.showingTasks
        + ControlCommand.revoking + ControlCommand.limiting + ControlCommand.queues + ControlCommand.steering
        + ControlCommand.agreeing

    private let commands: [String: ControlCommand]
    private let refused: Set<String>

    /// Makes a panel.
    ///
    /// - Parameters:
    ///   - own: the application's own commands, besides Celery's.
    ///   - refused: names of commands that are refused (`worker_refused_control_commands`).
    /// - Throws: ``CeleryError/Code/invalidConfiguration`` for a name that is taken.
    init(own: [ControlCommand] = [], refused: Set<String> = []) throws(CeleryError) {
        var commands: [String: ControlCommand] = [:]
        for command in Self.celery + own {
            for name in [command.name, command.alias].compactMap(\.self) {
                guard commands.updateValue(command, forKey: name) == nil else {
                    throw CeleryError(.invalidConfiguration, "the control command '\(name)' is there already")
                }
            }
        }
        self.commands = commands
        self.refused = refused
    }

    /// The command of a name or an alias.
    subscript(name: String) -> ControlCommand? { commands[name] }

    /// The name under which a call is refused; nil if it is not.
    ///
    /// A `revoke` that ends running tasks is a `terminate`: Celery's clients send that one so.
    func refusal(of method: String, _ arguments: JSONObject) -> String? {
        guard !refused.isEmpty else { return nil }
        var names = [method, commands[method]?.name ?? method]
        let terminates = arguments["terminate"]?.isTrue == true
        if terminates, names[1] == "revoke" || names[1] == "revoke_by_stamped_headers" { names.append("terminate") }
        return names.first { refused.contains($0) }
    }

    /// What a call comes to: the reply of its command, a refusal, or the exception that Celery's workers name.
    func answer(_ method: String, _ arguments: JSONObject, on worker: Worker) async -> ControlAnswer {
        if let name = refusal(of: method, arguments) {
            return .error("'\(name)' is refused by this worker (worker_refused_control_commands)")
        }
        do {
            guard let command = self[method] else { throw TaskError(type: "KeyError", method) }
            return try await command.run(arguments, on: worker)
        } catch {
            return .failure(error)
        }
    }
}

extension JSONValue {
    /// What Python takes the value for in a condition.
    var isTrue: Bool {
        switch self {
        case .null: false
        case .bool(let flag): flag
        case .int(let number): number != 0
        case .double(let number): number != 0
        case .string(let text): !text.isEmpty
        case .array(let elements): !elements.isEmpty
        case .object(let entries): !entries.isEmpty
        case .bytes(let bytes): !bytes.isEmpty
        case .bigInteger, .datetime, .date, .time, .decimal, .uuid: true
        }
    }
}
