import CeleryProtocol

/// Binds the arguments of a call to the properties of a `Codable` struct.
struct StructBinder<Arguments: Decodable & Sendable>: Sendable {
    private let binding: ArgumentBinding
    private let isComplete: Bool

    init(taskName: String) {
        let probe = ParameterProbe(Arguments.self)
        isComplete = probe.isComplete
        let slots = probe.properties.map {
            ArgumentBinding.Slot(name: $0.name, isOptional: $0.isOptional, defaultValue: nil)
        }
        binding = ArgumentBinding(taskName: taskName, slots: isComplete ? slots : [])
    }

    /// The struct made of the arguments.
    ///
    /// - Throws: ``TaskError`` of the type `TypeError`.
    func bind(_ args: [JSONValue], _ kwargs: JSONObject) throws -> Arguments {
        let properties = try properties(args, kwargs)
        do {
            return try JSONValueDecoder().decode(Arguments.self, from: .object(properties))
        } catch {
            throw mismatch(error, in: properties)
        }
    }

    /// The arguments by name.
    ///
    /// Of a struct whose properties are not known, keywords go through as they are.
    private func properties(_ args: [JSONValue], _ kwargs: JSONObject) throws(TaskError) -> JSONObject {
        if args.isEmpty, !isComplete { return kwargs }
        var properties = JSONObject(minimumCapacity: args.count + kwargs.count)
        for (index, value) in try binding.bind(args, kwargs).enumerated() {
            if let value { properties[binding.name(at: index)] = value }
        }
        return properties
    }

    private func mismatch(_ error: any Error, in properties: JSONObject) -> TaskError {
        switch error {
        case DecodingError.keyNotFound(let key, let context) where context.codingPath.isEmpty:
            return typeError("missing 1 required positional argument: '\(key.stringValue)'")
        case DecodingError.typeMismatch(let type, let context), DecodingError.valueNotFound(let type, let context):
            guard context.codingPath.count == 1, let name = context.codingPath.first?.stringValue else { break }
            let found = properties[name] ?? .null
            return typeError("argument '\(name)' must be \(type), not \(found.pythonTypeName)")
        default: break
        }
        return typeError("arguments do not fit \(Arguments.self)\(DecodingDetail.text(of: error) ?? "")")
    }

    private func typeError(_ rest: String) -> TaskError {
        TaskError(type: "TypeError", "\(binding.function)() \(rest)")
    }
}
