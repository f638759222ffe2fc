/// A frame of AMQP as bytes, for a broker that tests script.
struct WireFrame: Sendable, Hashable {
    enum Kind: UInt8, Sendable {
        case method = 1
        case header = 2
        case body = 3
        case heartbeat = 8
    }

    var kind: UInt8
    var channel: UInt16
    var payload: [UInt8]

    init(_ kind: Kind, channel: UInt16 = 0, _ payload: [UInt8]) {
        self.init(kind: kind.rawValue, channel: channel, payload)
    }

    init(kind: UInt8, channel: UInt16, _ payload: [UInt8]) {
        self.kind = kind
        self.channel = channel
        self.payload = payload
    }

    static let heartbeat = WireFrame(.heartbeat, [])

    static func method(_ classID: UInt16, _ methodID: UInt16, channel: UInt16 = 0, _ arguments: [UInt8]...) -> Self {
        WireFrame(.method, channel: channel, wire(classID) + wire(methodID) + arguments.flatMap { $0 })
    }

    /// A content header without properties but these headers, which are the bytes of a table.
    static func header(channel: UInt16, bodySize: Int, headers: [UInt8]? = nil) -> Self {
        let flags = wire(UInt16(headers == nil ? 0 : 1 << 13))
        return WireFrame(
            .header,
            channel: channel,
            wire(UInt16(60)) + wire(UInt16(0)) + wire(UInt64(bodySize)) + flags + (headers ?? [])
        )
    }

    static func deliver(channel: UInt16, tag: String, _ deliveryTag: UInt64) -> Self {
        .method(60, 60, channel: channel, short(tag), wire(deliveryTag), [0], short(""), short("q"))
    }

    static func blocked(_ reason: String) -> Self { .method(10, 60, short(reason)) }

    var bytes: [UInt8] {
        [kind] + Self.wire(channel) + Self.wire(UInt32(payload.count)) + payload + [0xCE]
    }

    /// Class and method of a method frame.
    var method: (classID: UInt16, methodID: UInt16)? {
        guard kind == Kind.method.rawValue, payload.count >= 4 else { return nil }
        return (UInt16(payload[0]) << 8 | UInt16(payload[1]), UInt16(payload[2]) << 8 | UInt16(payload[3]))
    }

    static func wire(_ number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }

    static func short(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + Array(text.utf8) }

    static func long(_ text: String) -> [UInt8] { wire(UInt32(text.utf8.count)) + Array(text.utf8) }

    /// A table's bytes in which each level holds nothing but the next one.
    static func nestedTable(depth: Int) -> [UInt8] {
        nested(depth: depth, [0, UInt8(ascii: "F")])
    }

    /// A table's bytes that holds arrays in arrays: the deepest nesting that AMQP can write into a number of bytes.
    static func nestedArrays(depth: Int) -> [UInt8] {
        let arrays = nested(depth: depth, [UInt8(ascii: "A")])
        return wire(UInt32(arrays.count + 2)) + [0, UInt8(ascii: "A")] + arrays
    }

    /// Levels from the innermost, empty one outwards, written backwards so that a deep one costs linear time.
    private static func nested(depth: Int, _ mark: [UInt8]) -> [UInt8] {
        var reversed: [UInt8] = [0, 0, 0, 0]
        for _ in 0..<depth {
            reversed.append(contentsOf: mark.reversed())
            reversed.append(contentsOf: wire(UInt32(reversed.count)).reversed())
        }
        return reversed.reversed()
    }
}
