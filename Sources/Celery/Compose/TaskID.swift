/// Ids of tasks and reply queues: random UUIDs (version 4) as lower-case text, like Celery's `uuid()`.
package enum TaskID {
    private static let digits: [UInt8] = Array("0123456789abcdef".utf8)

    /// A fresh id.
    package static func make() -> String {
        var generator = SystemRandomNumberGenerator()
        return make(high: generator.next(), low: generator.next())
    }

    /// The id of these random bits, with version and variant set.
    static func make(high: UInt64, low: UInt64) -> String {
        let high = (high & 0xffff_ffff_ffff_0fff) | 0x4000
        let low = (low & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000
        var text: [UInt8] = []
        text.reserveCapacity(36)
        for (index, word) in [high, low].enumerated() {
            for nibble in 0..<16 {
                let position = index * 16 + nibble
                if position == 8 || position == 12 || position == 16 || position == 20 {
                    text.append(UInt8(ascii: "-"))
                }
                text.append(digits[Int((word >> UInt64(60 - nibble * 4)) & 0xf)])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
