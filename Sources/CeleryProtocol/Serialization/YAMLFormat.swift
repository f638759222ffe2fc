/// `application/x-yaml`: known by name, not read.
package enum YAMLFormat: ContentFormat {
    /// The serializer's name, `yaml`.
    package static let name = "yaml"
    /// The MIME type, `application/x-yaml`.
    package static let contentType = "application/x-yaml"
    /// The content encoding, `utf-8`.
    package static let contentEncoding = "utf-8"
    /// YAML is not read.
    package static let isSupported = false

    /// Refuses the body.
    ///
    /// - Throws: ``ProtocolError/Code/contentDisallowed``.
    package static func decode(_ body: [UInt8], limits: JSONLimits) throws(ProtocolError) -> JSONValue {
        throw ProtocolError(.contentDisallowed, "yaml (application/x-yaml) is not supported; senders can use json")
    }
}
