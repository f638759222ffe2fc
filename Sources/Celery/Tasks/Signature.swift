/// A call of a task by name that can be sent, stored, linked and chained; Celery's signature without types.
public struct Signature: Sendable {
    /// The signature in the form of the wire.
    package var wire: SignatureWire
    /// What a typed name says about the task; nil where only a name is known, as in Celery's `send_task`.
    package var declared: DeclaredTask?
    /// Why the arguments could not be encoded; thrown when the signature is sent.
    package var encodingError: CeleryError?

    /// Makes a signature.
    ///
    /// - Parameters:
    ///   - task: the task's name.
    ///   - args: positional arguments.
    ///   - kwargs: keyword arguments.
    ///   - options: how it is sent, stored with the signature.
    ///   - immutable: whether the call takes no further arguments from a task before it (Celery's `.si`).
    public init(
        _ task: String,
        args: [JSONValue] = [],
        kwargs: JSONObject = [:],
        options: TaskOptions = TaskOptions(),
        immutable: Bool = false
    ) {
        self.init(
            wire: SignatureWire(task: task, args: args, kwargs: kwargs, options: options.json, immutable: immutable)
        )
    }

    /// Makes a signature of the form of the wire.
    package init(wire: SignatureWire, declared: DeclaredTask? = nil, encodingError: CeleryError? = nil) {
        self.wire = wire
        self.declared = declared
        self.encodingError = encodingError
    }

    /// Reads a signature as it travels: a map with at least the key `task`, such as Python's `dict(signature)`.
    ///
    /// - Throws: ``CeleryError`` with the code `.invalidSignature`.
    public init(decoding json: JSONValue) throws(CeleryError) {
        do {
            self.init(wire: try SignatureWire(decoding: json))
        } catch {
            throw CeleryError(.invalidSignature, "a nested signature cannot be read", underlying: error)
        }
    }

    /// The task's name.
    public var task: String { wire.task }
    /// The positional arguments.
    public var args: [JSONValue] { wire.args }
    /// The keyword arguments.
    public var kwargs: JSONObject { wire.kwargs }
    /// The stored options, as they travel.
    public var options: JSONObject { wire.options }
    /// `chain`, `group` or `chord` where the signature is a whole workflow.
    public var subtaskType: String? { wire.subtaskType }
    /// Whether the call takes no further arguments from a task before it.
    public var isImmutable: Bool { wire.immutable }

    /// The signature with these options stored; they win over the stored ones.
    public func with(_ options: TaskOptions) -> Signature {
        var changed = self
        changed.wire.options.merge(options.json) { _, new in new }
        return changed
    }

    /// The signature as one that takes no further arguments from a task before it (Celery's `.si`).
    public func immutable() -> Signature {
        var changed = self
        changed.wire.immutable = true
        return changed
    }

    /// The signature as it travels inside of a message: the map that Python's `celery.signature(dict)` takes.
    public var json: JSONValue { embedded.wire.json }

    /// The signature with the options of its typed name stored, since whoever sends it later may not know the name.
    package var embedded: Signature {
        guard let declared, declared.hasOptions else { return self }
        var embedded = self
        embedded.wire.options.merge(declared.options.json) { stored, _ in stored }
        return embedded
    }
}

extension Signature: Hashable {
    /// Equal where the same would be sent.
    public static func == (left: Signature, right: Signature) -> Bool {
        left.wire == right.wire
    }

    /// Hashes what equality compares.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(wire)
    }
}
