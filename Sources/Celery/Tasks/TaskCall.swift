/// A call of a task whose result type is known.
public struct TaskCall<Output: Codable & Sendable>: Sendable {
    /// The call without its type.
    public private(set) var signature: Signature

    /// Takes a call known by name only as one with this result type.
    public init(_ signature: Signature, returning output: Output.Type = Output.self) {
        self.signature = signature
    }

    /// Makes a call with positional arguments.
    package init(task: String, arguments: ArgumentEncoder, declared: DeclaredTask) {
        signature = Signature(
            wire: SignatureWire(task: task, args: arguments.values),
            declared: declared,
            encodingError: arguments.error
        )
    }

    /// Makes a call with keyword arguments.
    package init(task: String, keywords: some Encodable, declared: DeclaredTask) {
        var kwargs: JSONObject = [:]
        var failure: CeleryError?
        do {
            guard case .object(let object) = try JSONValueEncoder().encode(keywords) else {
                throw CeleryError(.encoding, "\(type(of: keywords)) does not encode as a map of keywords")
            }
            kwargs = object
        } catch {
            failure =
                error as? CeleryError
                ?? CeleryError(.encoding, "\(type(of: keywords)) cannot be encoded", underlying: error)
        }
        signature = Signature(
            wire: SignatureWire(task: task, args: [], kwargs: kwargs),
            declared: declared,
            encodingError: failure
        )
    }

    /// The call with these options; they win over the ones it has.
    public func with(_ options: TaskOptions) -> TaskCall {
        var changed = self
        changed.signature = signature.with(options)
        return changed
    }

    /// The call as one that takes no further arguments from a task before it (Celery's `.si`).
    public func immutable() -> TaskCall {
        var changed = self
        changed.signature = signature.immutable()
        return changed
    }
}
