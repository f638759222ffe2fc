import CeleryProtocol

/// Binds the arguments of a call to the types of a closure's parameters.
struct PackBinder<each Argument: Decodable & Sendable>: Sendable {
    private let binding: ArgumentBinding

    /// Makes a binder.
    ///
    /// Parameters without a name are positional only; one of an optional type may be left out.
    init(taskName: String, parameters: [Parameter]) {
        var slots: [ArgumentBinding.Slot] = []
        func add<T>(_ type: T.Type) {
            let parameter = slots.count < parameters.count ? parameters[slots.count] : nil
            slots.append(
                ArgumentBinding.Slot(
                    name: parameter?.name,
                    isOptional: parameter?.defaultValue != nil || type is any OptionalArgument.Type,
                    defaultValue: parameter?.defaultValue
                )
            )
        }
        repeat add((each Argument).self)
        binding = ArgumentBinding(taskName: taskName, slots: slots)
    }

    /// The arguments in the types of the parameters.
    ///
    /// - Throws: ``TaskError`` of the type `TypeError`.
    func bind(_ args: [JSONValue], _ kwargs: JSONObject) throws -> (repeat each Argument) {
        if binding.isPlain(args, kwargs) {
            var index = 0
            return (repeat try decode((each Argument).self, args[next(&index)], at: index - 1))
        }
        let values = try binding.bind(args, kwargs)
        var index = 0
        return (repeat try decodeOptional((each Argument).self, values[next(&index)], at: index - 1))
    }

    private func next(_ index: inout Int) -> Int {
        defer { index += 1 }
        return index
    }

    private func decodeOptional<T: Decodable>(_ type: T.Type, _ value: JSONValue?, at index: Int) throws -> T {
        try decode(type, value ?? .null, at: index)
    }

    private func decode<T: Decodable>(_ type: T.Type, _ value: JSONValue, at index: Int) throws -> T {
        do {
            return try JSONValueDecoder().decode(type, from: value)
        } catch {
            throw binding.wrongType(
                at: index,
                expected: String(describing: type),
                found: value,
                detail: DecodingDetail.text(of: error)
            )
        }
    }
}

/// Marks the types of arguments that may be absent.
private protocol OptionalArgument {}

extension Optional: OptionalArgument {}

/// Where in a nested value a decoding error lies, without any of the value's content.
enum DecodingDetail {
    /// A text such as ` (at [2].name)`; nil where the value itself is wrong.
    static func text(of error: any Error) -> String? {
        guard let context = (error as? DecodingError)?.context, !context.codingPath.isEmpty else { return nil }
        var path = ""
        for key in context.codingPath {
            if let index = key.intValue {
                path += "[\(index)]"
            } else {
                path += path.isEmpty ? key.stringValue : ".\(key.stringValue)"
            }
        }
        return " (at \(path))"
    }
}

extension DecodingError {
    fileprivate var context: Context? {
        switch self {
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context): context
        case .keyNotFound(let key, let context):
            Context(codingPath: context.codingPath + [key], debugDescription: context.debugDescription)
        @unknown default: nil
        }
    }
}
