internal import OrderedCollections

/// Writes the signatures of one message, within a bound.
///
/// The bodies of nested chords are options of their tasks, which may be bodies with such tasks themselves: a small
/// workflow may mean a very large text. What is written twice is shared in memory, and its size is known before any text
/// is made of it.
struct SignatureWriter {
    /// A signature that is written.
    private struct Written {
        var json: JSONValue
        /// About how many bytes of text it is; never much more than it really is.
        var size: Int
    }

    /// Text of a signature without task, arguments and options.
    private static let emptySize = 80

    private let limit: Int
    private var total = 0
    /// The nodes are alive, and do not change, while they are written.
    private var written: [ObjectIdentifier: Written] = [:]

    /// Makes a writer for at most this many bytes of text.
    init(limit: Int) { self.limit = limit }

    /// The signature as it travels.
    ///
    /// - Throws: ``CeleryError/Code/invalidSignature`` where all that was written is too large together.
    mutating func json(_ node: CanvasNode) throws(CeleryError) -> JSONValue {
        let result = try write(node)
        try add(result.size, to: &total)
        return result.json
    }

    /// The option as it travels.
    mutating func json(_ option: CanvasOption) throws(CeleryError) -> JSONValue {
        switch option {
        case .value(let value): return value
        case .headers(let table): return JSONValue(table)
        case .signature(let node): return try json(node)
        }
    }

    private mutating func write(_ node: CanvasNode) throws(CeleryError) -> Written {
        if let known = written[ObjectIdentifier(node)] { return known }
        var size = Self.emptySize
        var options = JSONObject(minimumCapacity: node.options.count)
        for (key, option) in node.options { options[key] = try write(option, &size) }
        node.addDeclared(to: &options)
        var wire = SignatureWire(
            task: node.task,
            args: node.args,
            kwargs: node.kwargs,
            options: options,
            extra: node.extra
        )
        wire.subtaskType = node.subtaskType
        wire.immutable = node.immutable
        try measure(.array(wire.args), &size)
        try measure(.object(wire.kwargs), &size)
        try measure(.object(wire.extra), &size)
        switch node.kind {
        case .task: break
        case .chain, .group: wire.kwargs["tasks"] = try write(node.tasks, &size)
        case .chord:
            if let header = node.header {
                wire.kwargs["header"] = try write(header, &size)
            } else {
                wire.kwargs["header"] = try write(node.tasks, &size)
            }
            if let body = node.body {
                wire.kwargs["body"] = try write(body, &size)
            } else {
                wire.kwargs["body"] = .null
            }
        }
        let result = Written(json: wire.json, size: size)
        written[ObjectIdentifier(node)] = result
        return result
    }

    private mutating func write(_ nodes: [CanvasNode], _ size: inout Int) throws(CeleryError) -> JSONValue {
        var signatures: [JSONValue] = []
        signatures.reserveCapacity(nodes.count)
        for node in nodes { signatures.append(try write(node, &size)) }
        return .array(signatures)
    }

    private mutating func write(_ node: CanvasNode, _ size: inout Int) throws(CeleryError) -> JSONValue {
        let result = try write(node)
        try add(result.size, to: &size)
        return result.json
    }

    private mutating func write(_ option: CanvasOption, _ size: inout Int) throws(CeleryError) -> JSONValue {
        switch option {
        case .signature(let node): return try write(node, &size)
        case .value, .headers:
            let json = try json(option)
            try measure(json, &size)
            return json
        }
    }

    /// Adds the text of a value, whose depth is that of the JSON it came from.
    private func measure(_ json: JSONValue, _ size: inout Int) throws(CeleryError) {
        switch json {
        case .string(let text): try add(text.utf8.count + 2, to: &size)
        case .array(let elements):
            try add(2, to: &size)
            for element in elements { try measure(element, &size) }
        case .object(let entries):
            try add(2, to: &size)
            for (key, value) in entries {
                try add(key.utf8.count + 4, to: &size)
                try measure(value, &size)
            }
        default: try add(1, to: &size)
        }
    }

    private func add(_ more: Int, to size: inout Int) throws(CeleryError) {
        size += more
        guard size <= limit else {
            throw CeleryError(
                .invalidSignature,
                "the signatures of one message of the workflow are larger than \(limit) bytes: the body of a chord is a"
                    + " part of each of its tasks"
            )
        }
    }
}
