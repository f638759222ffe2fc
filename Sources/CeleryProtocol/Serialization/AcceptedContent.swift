/// The content types that are read, Celery's `accept_content`.
///
/// As kombu does, `application/data` and `application/text` always pass; no task can be made of them all the same.
public struct AcceptedContent: Sendable, Hashable {
    /// Only JSON, Celery's default.
    public static let json: AcceptedContent = ["json"]

    private let types: Set<String>
    private let acceptsJSON: Bool

    /// Makes a list of serializers' names and MIME types.
    ///
    /// A name that nobody knows accepts nothing.
    public init(_ namesAndTypes: some Sequence<String>) {
        types = Set(namesAndTypes.map { ContentFormats.named($0)?.contentType ?? $0 })
        acceptsJSON = types.contains(JSONFormat.contentType)
    }

    /// Makes a list for a configuration, where a name that cannot be served is a mistake to be told at once.
    ///
    /// - Throws: ``ProtocolError/Code/unsupportedContentType``, naming the entry.
    public init(validating namesAndTypes: some Sequence<String>) throws(ProtocolError) {
        let entries = Array(namesAndTypes)
        for entry in entries {
            let format = ContentFormats.named(entry) ?? ContentFormats.format(ofContentType: entry)
            guard let format, format.isSupported else {
                throw ProtocolError(
                    .unsupportedContentType,
                    "accept_content: '\(entry)' is not supported, only 'json' is"
                )
            }
        }
        self.init(entries)
    }

    /// Whether messages of a content type are read.
    public func contains(_ contentType: String) -> Bool {
        if acceptsJSON, contentType == JSONFormat.contentType { return true }
        return types.contains(contentType) || RawFormat.trusted.contains(contentType)
    }
}

extension AcceptedContent: ExpressibleByArrayLiteral {
    /// Makes a list of serializers' names and MIME types.
    public init(arrayLiteral elements: String...) { self.init(elements) }
}
