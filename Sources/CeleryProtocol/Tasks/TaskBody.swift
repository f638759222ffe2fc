public import OrderedCollections

/// The body of a task message of protocol 2: `[args, kwargs, embed]`.
public struct TaskBody: Sendable, Hashable {
    /// The positional arguments.
    public var args: [JSONValue]
    /// The keyword arguments.
    public var kwargs: JSONObject
    /// What happens after the task.
    public var embed: Embed

    /// Makes a body.
    public init(args: [JSONValue] = [], kwargs: JSONObject = [:], embed: Embed = Embed()) {
        self.args = args
        self.kwargs = kwargs
        self.embed = embed
    }
}

extension TaskBody {
    /// Reads a body in JSON.
    ///
    /// - Throws: ``ProtocolError/Code/notATriple`` where the body is not a list of three, a code of the JSON reader where
    ///   it is not JSON within the limits, ``ProtocolError/Code/invalidArguments`` where `args` is not a list or `kwargs`
    ///   not a map, and ``ProtocolError/Code/invalidEmbed``.
    public init(decoding bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(ProtocolError) {
        try self.init(decoding: JSONValue(parsing: bytes, limits: limits))
    }

    /// Reads a body that a serializer has decoded already.
    ///
    /// - Throws: the same as above, save the errors of the JSON reader.
    public init(decoding json: JSONValue) throws(ProtocolError) {
        guard case .array(let elements) = json, elements.count == 3 else {
            throw ProtocolError(.notATriple, "the body has to be a list of args, kwargs and embed")
        }
        try self.init(args: elements[0], kwargs: elements[1], embed: Embed(decoding: elements[2]))
    }

    /// Checks the shape of the arguments, which both protocols have in common.
    init(args: JSONValue, kwargs: JSONValue, embed: Embed) throws(ProtocolError) {
        guard case .array(let args) = args else {
            throw ProtocolError(.invalidArguments, "the positional arguments have to be a list")
        }
        guard case .object(let kwargs) = kwargs else {
            throw ProtocolError(.invalidArguments, "the keyword arguments have to be a map")
        }
        self.init(args: args, kwargs: kwargs, embed: embed)
    }
}

extension TaskBody {
    /// Writes the body as Celery's JSON serializer does, byte for byte.
    public func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(128)
        bytes.append(UInt8(ascii: "["))
        JSONValue.array(args).write(to: &bytes)
        bytes.append(contentsOf: ", ".utf8)
        JSONValue.object(kwargs).write(to: &bytes)
        bytes.append(contentsOf: ", ".utf8)
        // Most tasks have nothing to follow: the map of four nulls needs no building.
        if embed.isEmpty { bytes.append(contentsOf: Self.emptyEmbed) } else { embed.json.write(to: &bytes) }
        bytes.append(UInt8(ascii: "]"))
        return bytes
    }

    private static let emptyEmbed = Array(#"{"callbacks": null, "errbacks": null, "chain": null, "chord": null}"#.utf8)
}
