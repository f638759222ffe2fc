import CeleryProtocol

/// JSON between a worker and its children, which trust each other with what task messages may not have.
enum PipeJSON {
    private static let limits = JSONLimits(
        maxDepth: JSONLimits.greatestDepth,
        maxBytes: .max,
        maxIntegerDigits: .max
    )

    /// Reads a payload.
    static func read(_ bytes: [UInt8]) throws(FrameBuffer.Damaged) -> JSONValue {
        do {
            return try JSONValue(parsing: bytes, limits: limits)
        } catch {
            throw FrameBuffer.Damaged(reason: "a payload is no JSON: \(error)")
        }
    }
}

extension JSONValue {
    /// A duration in seconds and attoseconds, or null.
    init(pipe duration: Duration?) {
        guard let (seconds, attoseconds) = duration?.components else {
            self = .null
            return
        }
        self = [.int(Int(seconds)), .int(Int(attoseconds))]
    }

    /// The duration of ``init(pipe:)``.
    var pipeDuration: Duration? {
        guard let seconds = self[0]?.intValue, let attoseconds = self[1]?.intValue else { return nil }
        return Duration(secondsComponent: Int64(seconds), attosecondsComponent: Int64(attoseconds))
    }

    /// Text, or null.
    init(text: String?) { self = text.map(JSONValue.string) ?? .null }

    /// A truth value, or null.
    init(flag: Bool?) { self = flag.map(JSONValue.bool) ?? .null }

}
