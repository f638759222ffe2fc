@testable import AMQP

/// Frames as they come from the broker: through librabbitmq's decoder into the state machines of connection and channels.
///
/// The first byte is the size of the pieces in which the rest comes in.
enum FramesFuzz {
    static func run(_ input: [UInt8]) {
        var reader = InputReader(input)
        let size = Int(reader.byte()) + 1
        let bytes = reader.remainder()
        let whole = outcome(of: [bytes])
        let pieces = outcome(of: stride(from: 0, to: bytes.count, by: size).map { Array(bytes[$0...].prefix(size)) })
        require(whole == pieces, "how bytes are cut does not matter")
    }

    /// How the frames went: how many, how many deliveries, and the error that ended them.
    private struct Outcome: Equatable {
        var frames = 0
        var messages = 0
        var bodyBytes = 0
        var error: AMQPError?
    }

    private static func outcome(of pieces: [[UInt8]]) -> Outcome {
        var outcome = Outcome()
        let pump = FramePump()
        do throws(AMQPError) {
            let input = try FrameInput(frameMax: 131_072)
            for piece in pieces {
                try input.decode(piece) { frame throws(AMQPError) in
                    outcome.frames += 1
                    try pump.accept(frame)
                }
                pump.finishTurn()
            }
        } catch {
            outcome.error = error
        }
        pump.end(outcome.error)
        outcome.messages = pump.messages
        outcome.bodyBytes = pump.bodyBytes
        return outcome
    }
}
