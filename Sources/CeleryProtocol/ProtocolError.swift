/// Why a message, a header or a value of Celery's protocol could not be read or written.
///
/// The message tells which rule was broken and where, never what the payload holds: it may go to a log.
public struct ProtocolError: Error, Sendable, Hashable {
    /// What kind of rule was broken.
    public let code: Code
    /// The broken rule in words, without any text of the payload.
    public let message: String

    /// Makes an error.
    ///
    /// - Parameters:
    ///   - code: what kind of rule was broken.
    ///   - message: the rule in words. It must not quote the payload, which may hold secrets.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

extension ProtocolError {
    /// A kind of protocol error, open for further kinds in later versions.
    public struct Code: Sendable, Hashable {
        private enum Kind: String, Sendable {
            case malformedJSON
            case nestingTooDeep
            case tooLarge
            case invalidUTF8
            case loneSurrogate
            case unknownExtendedType
            case invalidExtendedValue
            case invalidDate
            case notATriple
            case unknownMessage
            case missingHeader
            case wrongHeaderType
            case invalidArguments
            case invalidEmbed
            case invalidSignature
            case invalidResult
            case contentDisallowed
            case unsupportedContentType
            case unsupportedEncoding
            case unsupportedCompression
            case corruptCompression
            case undecodable
        }

        private let kind: Kind

        private init(_ kind: Kind) { self.kind = kind }

        /// The bytes are not JSON in Python's dialect.
        public static let malformedJSON = Code(.malformedJSON)
        /// Arrays and maps are nested deeper than the limit.
        public static let nestingTooDeep = Code(.nestingTooDeep)
        /// A body, a number or a table exceeds its limit.
        public static let tooLarge = Code(.tooLarge)
        /// Text is not valid UTF-8.
        public static let invalidUTF8 = Code(.invalidUTF8)
        /// A string holds half of a surrogate pair, which Unicode text cannot express.
        public static let loneSurrogate = Code(.loneSurrogate)
        /// The `__type__` of an extended value is not one of kombu's.
        public static let unknownExtendedType = Code(.unknownExtendedType)
        /// The `__value__` of an extended value does not fit its `__type__`.
        public static let invalidExtendedValue = Code(.invalidExtendedValue)
        /// Text is not a date and time in ISO 8601.
        public static let invalidDate = Code(.invalidDate)
        /// A protocol 2 body is not `[args, kwargs, embed]`.
        public static let notATriple = Code(.notATriple)
        /// A message is of neither protocol 1 nor protocol 2.
        public static let unknownMessage = Code(.unknownMessage)
        /// A required header is missing.
        public static let missingHeader = Code(.missingHeader)
        /// A header has a type that Celery does not accept there.
        public static let wrongHeaderType = Code(.wrongHeaderType)
        /// `args` is not a list or `kwargs` not a map.
        public static let invalidArguments = Code(.invalidArguments)
        /// The third element of a body is neither a map nor null, or one of its entries has a wrong type.
        public static let invalidEmbed = Code(.invalidEmbed)
        /// A map is not a signature of a task.
        public static let invalidSignature = Code(.invalidSignature)
        /// A body is not a result message.
        public static let invalidResult = Code(.invalidResult)
        /// The content type is not in the accept list.
        public static let contentDisallowed = Code(.contentDisallowed)
        /// No decoder is registered for the content type.
        public static let unsupportedContentType = Code(.unsupportedContentType)
        /// The content encoding is not one that can be read.
        public static let unsupportedEncoding = Code(.unsupportedEncoding)
        /// The compression method is unknown.
        public static let unsupportedCompression = Code(.unsupportedCompression)
        /// A compressed body cannot be expanded.
        public static let corruptCompression = Code(.corruptCompression)
        /// A message cannot be decoded for another reason.
        public static let undecodable = Code(.undecodable)
    }
}

extension ProtocolError.Code: CustomStringConvertible {
    /// The name of the kind, such as `malformedJSON`.
    public var description: String { kind.rawValue }
}

extension ProtocolError: CustomStringConvertible {
    /// The kind and the message in one line.
    public var description: String { "\(code): \(message)" }
}
