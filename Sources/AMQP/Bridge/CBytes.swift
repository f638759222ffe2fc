internal import CRabbitMQ

extension amqp_bytes_t {
    /// A copy of the bytes.
    var array: [UInt8] {
        guard let bytes, len > 0 else { return [] }
        return [UInt8](UnsafeRawBufferPointer(start: bytes, count: len))
    }

    /// A copy of the bytes as text, where they are UTF-8.
    var validText: String? {
        guard let bytes, len > 0 else { return "" }
        return String(validating: UnsafeRawBufferPointer(start: bytes, count: len), as: UTF8.self)
    }

    /// A copy of the bytes as text; what is not UTF-8 is replaced by U+FFFD.
    var text: String {
        guard let bytes, len > 0 else { return "" }
        return String(decoding: UnsafeRawBufferPointer(start: bytes, count: len), as: UTF8.self)
    }
}
