/// Events of tasks that go out in one message: the body of a JSON list as it grows.
struct EventBatch: Sendable {
    /// With so many events a batch goes out at once (`EventDispatcher.buffer_limit`).
    static let limit = 24
    /// With so many bytes it does, too.
    static let byteLimit = 256 << 10

    private(set) var count = 0
    private var body: [UInt8] = []

    var isFull: Bool { count >= Self.limit || body.count >= Self.byteLimit }

    /// Appends an event, which the closure writes.
    mutating func append(_ write: (inout [UInt8]) -> Void) {
        if body.isEmpty { body.reserveCapacity(1024) }
        body += count == 0 ? "[".utf8 : ", ".utf8
        count += 1
        write(&body)
    }

    /// The body with its number of events, after which the batch is empty; nil if it is empty.
    mutating func take() -> (body: [UInt8], count: Int)? {
        guard count > 0 else { return nil }
        body.append(UInt8(ascii: "]"))
        defer {
            body = []
            count = 0
        }
        return (body, count)
    }
}
