/// Cuts a stream of bytes between a worker and its child into frames.
///
/// A frame is the length of its payload in four bytes (the lowest first), a byte for its kind, and the payload. Pure.
struct FrameBuffer {
    /// What comes in is no frame, or one that is too large.
    struct Damaged: Error, Hashable {
        let reason: String
    }

    /// A frame's kind and payload.
    struct Frame: Hashable {
        let kind: UInt8
        let payload: [UInt8]
    }

    static let headerSize = 5

    private let maxPayload: Int
    private var bytes: [UInt8] = []
    private var position = 0

    /// Makes a buffer that takes payloads up to this size.
    init(maxPayload: Int) {
        self.maxPayload = maxPayload
    }

    /// How many bytes wait for the rest of their frame.
    var count: Int { bytes.count - position }

    /// Takes what was read.
    mutating func append(_ read: ArraySlice<UInt8>) {
        if position == bytes.count {
            bytes.removeAll(keepingCapacity: bytes.capacity <= 1 << 20)
            position = 0
        }
        bytes.append(contentsOf: read)
    }

    /// The next frame; nil where it is not complete.
    mutating func next() throws(Damaged) -> Frame? {
        guard count >= Self.headerSize else { return nil }
        var size = 0
        for index in 0..<4 { size |= Int(bytes[position + index]) << (8 * index) }
        guard size <= maxPayload else {
            throw Damaged(reason: "a frame of \(size) bytes, at most \(maxPayload) are taken")
        }
        guard count >= Self.headerSize + size else { return nil }
        let start = position + Self.headerSize
        let frame = Frame(kind: bytes[position + 4], payload: Array(bytes[start..<start + size]))
        position = start + size
        return frame
    }

    /// Writes a frame whose payload the closure appends.
    static func frame(_ kind: UInt8, _ write: (inout [UInt8]) -> Void) -> [UInt8] {
        var frame: [UInt8] = [0, 0, 0, 0, kind]
        write(&frame)
        var size = UInt32(truncatingIfNeeded: frame.count - headerSize)
        for index in 0..<4 {
            frame[index] = UInt8(truncatingIfNeeded: size)
            size >>= 8
        }
        return frame
    }
}

/// Reads the payload of a frame.
struct PayloadReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func byte() throws(FrameBuffer.Damaged) -> UInt8 {
        guard position < bytes.count else { throw FrameBuffer.Damaged(reason: "a payload ends too early") }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func number() throws(FrameBuffer.Damaged) -> UInt64 {
        var number: UInt64 = 0
        for index in 0..<8 { number |= UInt64(try byte()) << UInt64(8 * index) }
        return number
    }

    /// What is left.
    var rest: [UInt8] { Array(bytes[position...]) }
}

extension [UInt8] {
    /// Appends a number in eight bytes, the lowest first.
    mutating func put(_ number: UInt64) {
        for index in 0..<8 { append(UInt8(truncatingIfNeeded: number >> UInt64(8 * index))) }
    }
}
