import Celery

/// A command of remote control as Celery's command line knows it: what it is called and how its arguments are read.
///
/// Source: the decorators in `celery.worker.control`.
struct RemoteCommand: Sendable {
    /// Which command of the command line sends it.
    enum Kind: String, Sendable {
        case inspect, control
    }

    /// How one argument of the command line becomes JSON.
    enum Reading: Sendable {
        case text, integer, number, truth
    }

    /// A named argument.
    struct Parameter: Sendable {
        let name: String
        let reading: Reading

        init(_ name: String, _ reading: Reading = .text) {
            self.name = name
            self.reading = reading
        }
    }

    let name: String
    let kind: Kind
    let help: String
    /// What `--list` shows behind the name.
    var signature = ""
    /// The arguments in their order.
    var parameters: [Parameter] = []
    /// The argument that takes all further ones as a list.
    var rest: String?

    /// The arguments of a request, by name.
    ///
    /// - Throws: `CommandFailure` with the usage status for one that cannot be read, and for one too many.
    func arguments(_ texts: [String]) throws -> JSONObject {
        var arguments: JSONObject = [:]
        for (parameter, text) in zip(parameters, texts) {
            guard let value = Self.value(text, parameter.reading) else {
                throw CommandFailure("\(name): '\(text)' cannot be the argument \(parameter.name)", status: .usage)
            }
            arguments[parameter.name] = value
        }
        let further = texts.dropFirst(parameters.count)
        if let rest {
            arguments[rest] = .array(further.map(JSONValue.string))
        } else if !further.isEmpty {
            let takes = signature.isEmpty ? "no arguments" : "arguments: \(signature)"
            throw CommandFailure("Command '\(name)' takes \(takes)", status: .usage)
        }
        return arguments
    }

    private static func value(_ text: String, _ reading: Reading) -> JSONValue? {
        switch reading {
        case .text: .string(text)
        case .integer: Int(text).map(JSONValue.int)
        case .number: Double(text).flatMap { $0.isFinite ? .double($0) : nil }
        case .truth: truth(text).map(JSONValue.bool)
        }
    }

    /// Celery's `strtobool`.
    private static func truth(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "yes", "on", "1": true
        case "false", "no", "off", "0": false
        default: nil
        }
    }
}
