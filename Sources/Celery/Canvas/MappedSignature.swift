internal import OrderedCollections

/// The signature of a task that runs another one many times (`celery.canvas._basemap`).
struct MappedSignature: Sendable {
    private(set) var signature: Signature

    /// Makes the signature.
    ///
    /// It is immutable, and goes where the inner task goes.
    ///
    /// - Parameters:
    ///   - name: the outer task's name.
    ///   - task: the inner task, whose name alone counts.
    ///   - elements: what it runs for.
    ///   - size: how many make a chunk, for chunks.
    ///   - error: why an element could not be encoded.
    init(_ name: String, of task: Signature, _ elements: [JSONValue], size: Int? = nil, error: CeleryError? = nil) {
        var kwargs: JSONObject = ["task": task.json, "it": .array(elements)]
        if let size { kwargs["n"] = .int(size) }
        signature = Signature(
            wire: SignatureWire(task: name, kwargs: kwargs, immutable: true),
            encodingError: error ?? task.encodingError
        )
    }

    /// Makes the signature of an inner task by name.
    init(_ name: String, of task: String, _ elements: [JSONValue], size: Int? = nil, error: CeleryError? = nil) {
        self.init(name, of: Signature(task), elements, size: size, error: error)
    }

    func changed(_ change: (Signature) -> Signature) -> MappedSignature {
        var changed = self
        changed.signature = change(signature)
        return changed
    }

    /// The arguments of calls, each as a list.
    static func arguments<each Argument: Codable & Sendable>(
        _ calls: some Sequence<(repeat each Argument)>
    ) -> ([JSONValue], CeleryError?) {
        var failure: CeleryError?
        let arguments = calls.map { call in
            var arguments = ArgumentEncoder()
            repeat arguments.append(each call)
            failure = failure ?? arguments.error
            return JSONValue.array(arguments.values)
        }
        return (arguments, failure)
    }
}

extension Signature {
    /// The name by which the signature is routed, where that is not its own: the inner task's of a map, a starmap and chunks.
    package var routeName: String? {
        guard ["celery.map", "celery.starmap", "celery.chunks"].contains(task) else { return nil }
        return kwargs["task"]?["task"]?.stringValue
    }

    /// The group of starmaps that clients send chunks as; nil for other signatures (`celery.canvas.chunks.group`).
    ///
    /// Whoever finds the signature in a message sends it as the task that it is.
    ///
    /// - Throws: ``CeleryError/Code/invalidSignature`` where there is no list of arguments, or no size of chunks.
    package func chunksGroup() throws(CeleryError) -> Signature? {
        guard task == "celery.chunks" else { return nil }
        guard let inner = kwargs["task"], let calls = kwargs["it"]?.arrayValue, let size = kwargs["n"]?.intValue,
            size > 0
        else { throw CeleryError(.invalidSignature, "chunks need a task, a list of arguments and a size from 1") }
        var parts: [Signature] = []
        for start in stride(from: 0, to: calls.count, by: size) {
            let part = JSONValue.array(Array(calls[start..<min(start + size, calls.count)]))
            let wire = SignatureWire(task: "celery.starmap", kwargs: ["task": inner, "it": part], immutable: true)
            parts.append(Signature(wire: wire, encodingError: encodingError))
        }
        var group = Signature.group(of: parts)
        group.wire.options = options
        return group
    }
}
