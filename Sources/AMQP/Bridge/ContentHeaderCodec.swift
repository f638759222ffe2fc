internal import CRabbitMQ

/// Encodes and decodes the payload of AMQP's content header frames with librabbitmq's own codec, without a connection.
package enum ContentHeaderCodec {
    /// Class of `basic` in AMQP's specification.
    private static let basicClass: UInt16 = 60
    /// Class, weight and body size stand before the properties.
    private static let prefixSize = 12

    /// Reads the payload of a content header frame.
    ///
    /// - Throws: `AMQPError` with code `protocolViolation` where the payload is cut off, of another class, or nested too deeply.
    package static func decode(_ frame: [UInt8]) throws(AMQPError) -> (properties: BasicProperties, bodySize: UInt64) {
        guard frame.count >= prefixSize, frame[0] == 0, frame[1] == UInt8(basicClass) else {
            throw AMQPError(.protocolViolation, "not a content header of the basic class")
        }
        guard TableDepth.isWithinLimit(properties: frame[prefixSize...]) else {
            throw AMQPError(.protocolViolation, "the headers are nested too deeply")
        }
        let bodySize = frame[4..<prefixSize].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        var pool = amqp_pool_t()
        init_amqp_pool(&pool, 4096)
        defer { empty_amqp_pool(&pool) }
        var encoded = Array(frame[prefixSize...])
        let properties = encoded.withUnsafeMutableBytes { buffer -> BasicProperties? in
            var decoded: UnsafeMutableRawPointer?
            let bytes = amqp_bytes_t(len: buffer.count, bytes: buffer.baseAddress)
            guard amqp_decode_properties(basicClass, &pool, bytes, &decoded) >= 0, let decoded else { return nil }
            return try? BasicProperties(decoded.assumingMemoryBound(to: amqp_basic_properties_t.self).pointee)
        }
        guard let properties else {
            throw AMQPError(.protocolViolation, "the content header's properties are malformed")
        }
        return (properties, bodySize)
    }

    /// Writes the payload of a content header frame.
    ///
    /// - Throws: `AMQPError` with code `invalidArgument` where a property is too long for AMQP.
    package static func encode(_ properties: BasicProperties, bodySize: UInt64) throws(AMQPError) -> [UInt8] {
        try MessageLimits.check(properties)
        let arena = Arena()
        var source = properties.cValue(in: arena)
        var buffer = [UInt8](repeating: 0, count: properties.encodedSize + 64)
        let written = buffer.withUnsafeMutableBytes { target in
            amqp_encode_properties(basicClass, &source, amqp_bytes_t(len: target.count, bytes: target.baseAddress))
        }
        guard written >= 0 else { throw AMQPError(.invalidArgument, "the properties cannot be encoded") }
        var frame: [UInt8] = [0, UInt8(basicClass), 0, 0]
        frame.append(contentsOf: (0..<8).map { UInt8(truncatingIfNeeded: bodySize >> UInt64(56 - 8 * $0)) })
        frame.append(contentsOf: buffer.prefix(Int(written)))
        return frame
    }
}
