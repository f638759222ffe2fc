/// The registry of content formats, and the way from a message's content type to its value.
package enum ContentFormats {
    /// All formats that have a name.
    package static let all: [any ContentFormat.Type] = [
        JSONFormat.self, PickleFormat.self, YAMLFormat.self, MessagePackFormat.self, RawFormat.self,
    ]

    /// The format of a serializer's name, such as `json`.
    package static func named(_ name: String) -> (any ContentFormat.Type)? { all.first { $0.name == name } }

    /// The format of a content type, such as `application/json`.
    package static func format(ofContentType type: String) -> (any ContentFormat.Type)? {
        all.first { $0.contentType == type }
    }

    /// Checks what can be checked of a body before it is read: size, content type, and that there is something to read.
    ///
    /// Celery reads a missing content type as raw data, and its workers die of the outcome.
    ///
    /// - Throws: ``ProtocolError/Code/tooLarge``, ``ProtocolError/Code/undecodable`` for a missing content type or an
    ///   empty body, ``ProtocolError/Code/contentDisallowed`` where the type is not accepted.
    static func check(
        contentType: String?,
        bodySize: Int,
        accept: AcceptedContent,
        limits: JSONLimits
    ) throws(ProtocolError) {
        guard let contentType else { throw ProtocolError(.undecodable, "the message has no content type") }
        guard accept.contains(contentType) else { throw disallowed(contentType) }
        guard bodySize > 0 else { throw ProtocolError(.undecodable, "the message has no body") }
        guard bodySize <= limits.maxBytes else {
            throw ProtocolError(.tooLarge, "the body has \(bodySize) bytes, \(limits.maxBytes) are allowed")
        }
    }

    /// Reads a body by the content type that ``check(contentType:bodySize:accept:limits:)`` has let pass.
    static func decode(
        _ body: [UInt8],
        contentType: String,
        limits: JSONLimits
    ) throws(ProtocolError) -> JSONValue {
        if contentType == JSONFormat.contentType { return try JSONFormat.decode(body, limits: limits) }
        if RawFormat.trusted.contains(contentType) { return try RawFormat.decode(body, limits: limits) }
        guard let format = format(ofContentType: contentType) else {
            throw ProtocolError(
                .unsupportedContentType,
                "no serializer reads the content type \(contentType.asPrintableName)"
            )
        }
        return try format.decode(body, limits: limits)
    }

    private static func disallowed(_ contentType: String) -> ProtocolError {
        let shown = format(ofContentType: contentType).map { "\($0.name) (\($0.contentType))" }
        return ProtocolError(
            .contentDisallowed,
            "the content type \(shown ?? contentType.asPrintableName) is not in the accept list"
        )
    }
}
