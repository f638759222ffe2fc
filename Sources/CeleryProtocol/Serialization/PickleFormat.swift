/// `application/x-python-serialize`: refused, since reading a pickle means running the sender's code.
package enum PickleFormat: ContentFormat {
    /// The serializer's name, `pickle`.
    package static let name = "pickle"
    /// The MIME type, `application/x-python-serialize`.
    package static let contentType = "application/x-python-serialize"
    /// The content encoding, `binary`.
    package static let contentEncoding = "binary"
    /// Pickles are never read.
    package static let isSupported = false

    /// Refuses the body.
    ///
    /// - Throws: ``ProtocolError/Code/contentDisallowed``.
    package static func decode(_ body: [UInt8], limits: JSONLimits) throws(ProtocolError) -> JSONValue {
        throw ProtocolError(.contentDisallowed, "pickle is never read: it would run the sender's code")
    }
}
