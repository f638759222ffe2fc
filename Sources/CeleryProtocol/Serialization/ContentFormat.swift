/// How bodies of one content type are read.
///
/// Each conforming type stands for one of kombu's serializers.
package protocol ContentFormat: Sendable {
    /// The name in settings such as `task_serializer` and `accept_content`.
    static var name: String { get }
    /// The MIME type in messages.
    static var contentType: String { get }
    /// The content encoding that goes with it.
    static var contentEncoding: String { get }
    /// Whether bodies can be read at all.
    static var isSupported: Bool { get }

    /// Reads a body.
    ///
    /// - Throws: ``ProtocolError``.
    static func decode(_ body: [UInt8], limits: JSONLimits) throws(ProtocolError) -> JSONValue
}
