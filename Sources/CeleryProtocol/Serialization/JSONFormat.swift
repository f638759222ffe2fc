/// `application/json`, Celery's default, in Python's dialect with kombu's extended types.
package enum JSONFormat: ContentFormat {
    /// The serializer's name, `json`.
    package static let name = "json"
    /// The MIME type, `application/json`.
    package static let contentType = "application/json"
    /// The content encoding, `utf-8`.
    package static let contentEncoding = "utf-8"
    /// JSON is read.
    package static let isSupported = true

    /// Reads JSON.
    ///
    /// - Throws: ``ProtocolError`` with a code of the JSON reader.
    package static func decode(_ body: [UInt8], limits: JSONLimits) throws(ProtocolError) -> JSONValue {
        try JSONValue(parsing: body, limits: limits)
    }
}
