import Glibc
import Synchronization

/// The scripted broker's end of a connection; the calls block, as scripts run on threads of their own.
final class PeerSocket: Sendable {
    enum Failure: Error {
        case closed
    }

    private struct State {
        var ended = false
    }

    private let descriptor: Int32
    private let state = Mutex(State())

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit {
        _ = close(descriptor)
    }

    /// Ends the connection.
    func end() {
        state.withLock { $0.ended = true }
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    /// The script is over.
    func finish() {
        end()
    }

    /// Does nothing at all until the test is over: neither reads nor writes.
    func beSilent() {
        while !state.withLock({ $0.ended }) { usleep(10_000) }
    }

    func pause(milliseconds: UInt32) throws {
        for _ in 0..<(milliseconds / 10) {
            if state.withLock({ $0.ended }) { throw Failure.closed }
            usleep(10_000)
        }
    }

    // MARK: Bytes

    func read(_ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var offset = 0
        while offset < count {
            let received = bytes.withUnsafeMutableBytes { buffer in
                recv(descriptor, buffer.baseAddress?.advanced(by: offset), count - offset, 0)
            }
            guard received > 0 else { throw Failure.closed }
            offset += received
        }
        return bytes
    }

    func write(_ bytes: [UInt8]) throws {
        var offset = 0
        while offset < bytes.count {
            let sent = bytes.withUnsafeBytes { buffer in
                Glibc.send(
                    descriptor,
                    buffer.baseAddress?.advanced(by: offset),
                    bytes.count - offset,
                    Int32(MSG_NOSIGNAL)
                )
            }
            guard sent > 0 else { throw Failure.closed }
            offset += sent
        }
    }

    /// Reads and forgets what comes, and never writes.
    func swallow() throws {
        while true { _ = try read(1) }
    }

    // MARK: Frames

    func send(_ frames: WireFrame...) throws {
        try write(frames.flatMap(\.bytes))
    }

    func readFrame() throws -> WireFrame {
        let head = try read(7)
        let size = head[3...].reduce(0) { $0 << 8 | Int($1) }
        let payload = try read(size)
        _ = try read(1)
        return WireFrame(kind: head[0], channel: UInt16(head[1]) << 8 | UInt16(head[2]), payload)
    }

    /// The next frame that is a method, answered if it is one that a broker always answers.
    func next() throws -> WireFrame {
        while true {
            let frame = try readFrame()
            guard let method = frame.method else { continue }
            try answer(method, frame.channel)
            return frame
        }
    }

    /// Reads and answers frames until this method has come.
    @discardableResult
    func wait(for classID: UInt16, _ methodID: UInt16) throws -> WireFrame {
        while true {
            let frame = try next()
            if let method = frame.method, method == (classID, methodID) { return frame }
        }
    }

    /// Answers what comes until the connection ends.
    func serve() throws {
        while true { _ = try next() }
    }

    /// The same, with a heartbeat every half a second as long as something comes.
    func serveWithHeartbeats() throws {
        var last = ContinuousClock.now
        while true {
            let frame = try readFrame()
            if let method = frame.method { try answer(method, frame.channel) }
            guard .now - last >= .milliseconds(500) else { continue }
            last = .now
            try send(.heartbeat)
        }
    }

    // MARK: Handshake

    func greet() throws {
        _ = try read(8)
    }

    func start(mechanisms: String = "PLAIN EXTERNAL") throws {
        let table = WireFrame.wire(UInt32(0))
        try send(.method(10, 10, [0, 9], table, WireFrame.long(mechanisms), WireFrame.long("en_US")))
        try wait(for: 10, 11)
    }

    func handshake(heartbeat: UInt16 = 0, frameMax: UInt32 = 131_072) throws {
        try tune(heartbeat: heartbeat, frameMax: frameMax)
        try wait(for: 10, 40)
    }

    /// All but the answer to `connection.open`.
    func handshakeUntilOpen() throws {
        try tune(heartbeat: 0, frameMax: 131_072)
        _ = try readFrame()
        _ = try readFrame()
    }

    private func tune(heartbeat: UInt16, frameMax: UInt32) throws {
        try greet()
        try start()
        let limits = WireFrame.wire(UInt16(2047)) + WireFrame.wire(frameMax) + WireFrame.wire(heartbeat)
        try send(.method(10, 30, limits))
    }

    private func answer(_ method: (classID: UInt16, methodID: UInt16), _ channel: UInt16) throws {
        switch method {
        case (10, 40): try send(.method(10, 41, [0]))
        case (10, 50): try send(.method(10, 51))
        case (20, 10): try send(.method(20, 11, channel: channel, WireFrame.wire(UInt32(0))))
        case (20, 40): try send(.method(20, 41, channel: channel))
        case (50, 10):
            let counts = WireFrame.wire(UInt32(0)) + WireFrame.wire(UInt32(0))
            try send(.method(50, 11, channel: channel, WireFrame.short("q"), counts))
        case (60, 20): try send(.method(60, 21, channel: channel, WireFrame.short("tag")))
        case (85, 10): try send(.method(85, 11, channel: channel))
        default: break
        }
    }
}
