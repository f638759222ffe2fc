/// `application/x-msgpack`: known by name, not read.
package enum MessagePackFormat: ContentFormat {
    /// The serializer's name, `msgpack`.
    package static let name = "msgpack"
    /// The MIME type, `application/x-msgpack`.
    package static let contentType = "application/x-msgpack"
    /// The content encoding, `binary`.
    package static let contentEncoding = "binary"
    /// MessagePack is not read.
    package static let isSupported = false

    /// Refuses the body.
    ///
    /// - Throws: ``ProtocolError/Code/contentDisallowed``.
    package static func decode(_ body: [UInt8], limits: JSONLimits) throws(ProtocolError) -> JSONValue {
        throw ProtocolError(
            .contentDisallowed,
            "msgpack (application/x-msgpack) is not supported; senders can use json"
        )
    }
}
