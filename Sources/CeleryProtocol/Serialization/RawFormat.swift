/// `application/data`: what kombu publishes without a serializer.
///
/// kombu lets it pass whatever the accept list says, and hands the bytes over as they are. No task can be made of them.
package enum RawFormat: ContentFormat {
    /// The serializer's name, `raw`.
    package static let name = "raw"
    /// The MIME type, `application/data`.
    package static let contentType = "application/data"
    /// The content encoding, `binary`.
    package static let contentEncoding = "binary"
    /// Raw bytes are never a task or a result.
    package static let isSupported = false

    /// Content types that kombu accepts always (`kombu.serialization.TRUSTED_CONTENT`).
    static let trusted: Set<String> = [contentType, "application/text"]

    /// Refuses the body.
    ///
    /// - Throws: ``ProtocolError/Code/undecodable``.
    package static func decode(_ body: [UInt8], limits: JSONLimits) throws(ProtocolError) -> JSONValue {
        throw ProtocolError(.undecodable, "the body is raw data, which no serializer can read")
    }
}
