import AMQP
import Synchronization

/// A child's end of the pipe to its worker.
///
/// One thread reads, blocked; anybody writes, one frame at a time.
final class ChildPipe: Sendable {
    /// A worker is trusted; this only tells a frame from noise.
    private static let maxPayload = Int(UInt32.max)

    private struct Input {
        var frames = FrameBuffer(maxPayload: ChildPipe.maxPayload)
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
    }

    private let stream = ByteStream.toParent
    private let input = Mutex(Input())
    private let output = Mutex(())

    /// The next frame, waiting for it; nil when the worker is gone.
    func read() throws(FrameBuffer.Damaged) -> WorkerFrame? {
        try input.withLock { input throws(FrameBuffer.Damaged) in
            while true {
                if let frame = try input.frames.next() { return try WorkerFrame(frame) }
                guard case .done(let count) = stream.read(into: &input.buffer) else { return nil }
                input.frames.append(input.buffer[..<count])
            }
        }
    }

    /// Writes a frame; without a worker there is nobody to hear it, and the reading thread ends the process.
    func write(_ frame: ChildFrame) { write(frame.encoded()) }

    /// Writes the bytes of a frame.
    func write(_ bytes: [UInt8]) {
        output.withLock { _ in
            var offset = 0
            while offset < bytes.count {
                guard case .done(let count) = stream.write(bytes, from: offset) else { return }
                offset += count
            }
        }
    }
}
