/// Reads one answer of HTTP/1.1 as its bytes come, within bounds; a value without I/O.
///
/// Source of the rules: RFC 9112, sections 4 to 7.
struct HTTPResponseReader: Sendable {
    /// Why an answer cannot be read.
    struct Malformed: Error, Hashable, CustomStringConvertible {
        let description: String
    }

    private enum Phase: Hashable {
        case head
        /// So many bytes of the body are to come.
        case counted(Int)
        case untilEnd
        case chunkSize
        case chunk(Int)
        case chunkEnd
        case trailers
        case complete
    }

    private static let mostHeadBytes = 64 << 10

    /// The status: 200 and so on; 0 until it has come.
    private(set) var status = 0
    /// The body as far as it has come.
    private(set) var body: [UInt8] = []
    private let mostBodyBytes: Int
    private var phase = Phase.head
    private var input: [UInt8] = []
    /// How much of the input has been used.
    private var start = 0
    private var headBytes = 0

    init(mostBodyBytes: Int = 64 << 20) {
        self.mostBodyBytes = mostBodyBytes
    }

    /// Whether the whole answer has come.
    var isComplete: Bool { phase == .complete }

    /// Takes bytes in.
    mutating func receive(_ bytes: some Collection<UInt8>) throws(Malformed) {
        input += bytes
        while try step() {}
        input.removeFirst(start)
        start = 0
    }

    /// The other side has closed the connection.
    mutating func end() throws(Malformed) {
        if phase == .untilEnd { phase = .complete }
        guard isComplete else { throw Malformed(description: "the answer is cut off") }
    }

    private mutating func step() throws(Malformed) -> Bool {
        switch phase {
        case .head: return try takeHead()
        case .counted(let count):
            let rest = try takeBody(count)
            phase = rest == 0 ? .complete : .counted(rest)
            return false
        case .untilEnd:
            _ = try takeBody(.max)
            return false
        case .chunkSize: return try takeChunkSize()
        case .chunk(let count):
            let rest = try takeBody(count)
            phase = rest == 0 ? .chunkEnd : .chunk(rest)
            return rest == 0
        case .chunkEnd:
            guard let line = try takeLine() else { return false }
            guard line.isEmpty else { throw Malformed(description: "a chunk is longer than it says") }
            phase = .chunkSize
            return true
        case .trailers:
            guard let line = try takeLine() else { return false }
            if line.isEmpty { phase = .complete }
            return !isComplete
        case .complete: return false
        }
    }

    /// A line without its end; nil where it has not come as a whole.
    private mutating func takeLine() throws(Malformed) -> String? {
        guard let end = input[start...].firstIndex(of: UInt8(ascii: "\n")) else {
            guard headBytes + input.count - start <= Self.mostHeadBytes else {
                throw Malformed(description: "a line of the answer is too long")
            }
            return nil
        }
        var line = input[start..<end]
        headBytes += line.count + 1
        guard headBytes <= Self.mostHeadBytes + body.count else {
            throw Malformed(description: "the head of the answer is too long")
        }
        start = end + 1
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        return String(decoding: line, as: UTF8.self)
    }

    /// Moves at most so many bytes to the body; answers how many are still to come.
    private mutating func takeBody(_ count: Int) throws(Malformed) -> Int {
        let taken = min(count, input.count - start)
        guard body.count + taken <= mostBodyBytes else {
            throw Malformed(description: "the answer has more than \(mostBodyBytes) bytes")
        }
        body += input[start..<start + taken]
        start += taken
        return count - taken
    }

    private mutating func takeChunkSize() throws(Malformed) -> Bool {
        guard let line = try takeLine() else { return false }
        let digits = line.prefix { $0 != ";" }.filter { !$0.isWhitespace }
        guard !digits.hasPrefix("+"), !digits.hasPrefix("-"), let size = Int(digits, radix: 16), size >= 0 else {
            throw Malformed(description: "a chunk has no size")
        }
        phase = size == 0 ? .trailers : .chunk(size)
        return true
    }

    private var head: [String] = []

    private mutating func takeHead() throws(Malformed) -> Bool {
        guard let line = try takeLine() else { return false }
        guard line.isEmpty else {
            head.append(line)
            return true
        }
        let words = (head.first ?? "").split(separator: " ")
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]), (100..<600).contains(status)
        else { throw Malformed(description: "this is no answer of HTTP") }
        defer { head = [] }
        // 1xx announces the answer itself.
        guard status >= 200 else { return true }
        self.status = status
        phase = try bodyPhase()
        return !isComplete
    }

    private func bodyPhase() throws(Malformed) -> Phase {
        if status == 204 || status == 304 { return .complete }
        if let coding = field("transfer-encoding") {
            guard coding.lowercased() == "chunked" else {
                throw Malformed(description: "the answer has an unknown transfer coding")
            }
            return .chunkSize
        }
        guard let text = field("content-length") else { return .untilEnd }
        guard let length = Int(text), length >= 0 else {
            throw Malformed(description: "the answer has no valid length")
        }
        return length == 0 ? .complete : .counted(length)
    }

    private func field(_ name: String) -> String? {
        for line in head.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0].lowercased() == name else { continue }
            return parts[1].filter { !$0.isWhitespace }
        }
        return nil
    }
}
