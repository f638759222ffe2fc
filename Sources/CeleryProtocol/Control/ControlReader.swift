import AMQPValues
import OrderedCollections

/// What requests and replies of remote control have in common.
enum ControlReader {
    /// The entries of a body, which has to be a map.
    static func entries(
        _ properties: BasicProperties,
        body: [UInt8],
        accept: AcceptedContent,
        limits: JSONLimits
    ) throws(ProtocolError) -> JSONObject {
        try ContentFormats.check(
            contentType: properties.contentType,
            bodySize: body.count,
            accept: accept,
            limits: limits
        )
        let json = try ContentFormats.decode(body, contentType: properties.contentType ?? "", limits: limits)
        guard case .object(let entries) = json else {
            throw ProtocolError(.invalidControl, "a message of remote control has to be a map")
        }
        return entries
    }

    /// A short text; nil where it is missing or null.
    static func text(_ entries: JSONObject, _ key: String) throws(ProtocolError) -> String? {
        switch entries[key] {
        case nil, .null?: return nil
        case .string(let text)? where text.utf8.count <= ControlRequest.maxTextBytes: return text
        default: throw wrongType(key, "a text of at most \(ControlRequest.maxTextBytes) bytes, or null")
        }
    }

    /// A map; nil where it is missing or null.
    static func map(_ entries: JSONObject, _ key: String) throws(ProtocolError) -> JSONObject? {
        switch entries[key] {
        case nil, .null?: return nil
        case .object(let map)?: return map
        default: throw wrongType(key, "a map or null")
        }
    }

    /// A list of texts; nil where it is missing or null.
    static func names(_ entries: JSONObject, _ key: String) throws(ProtocolError) -> [String]? {
        switch entries[key] {
        case nil, .null?: return nil
        case .array(let elements)?:
            var names: [String] = []
            for element in elements {
                guard case .string(let name) = element else { throw wrongType(key, "a list of texts or null") }
                names.append(name)
            }
            return names
        default: throw wrongType(key, "a list of texts or null")
        }
    }

    /// The properties of both, without headers.
    static func properties(deliveryMode: UInt8) -> BasicProperties {
        var properties = BasicProperties()
        properties.contentType = JSONFormat.contentType
        properties.contentEncoding = JSONFormat.contentEncoding
        properties.deliveryMode = deliveryMode
        properties.priority = 0
        return properties
    }

    private static func wrongType(_ key: String, _ expected: String) -> ProtocolError {
        ProtocolError(.invalidControl, "the entry '\(key)' has to be \(expected)")
    }
}
