/// Ids of tasks and reply queues: random UUIDs (version 4) as lower-case text, like Celery's `uuid()`.
package enum TaskID {
    private static let digits: [UInt8] = Array("0123456789abcdef".utf8)

    /// A fresh id.
    package static func make() -> String {
        var generator = SystemRandomNumberGenerator()
        return make(high: generator.next(), low: generator.next())
    }

    /// An id that is always the same for the same text and number: FNV-1a over both, from two starts.
    static func derived(from text: String, number: Int) -> String {
        let bytes = "\(text):\(number)".utf8
        func hash(_ start: UInt64) -> UInt64 { bytes.reduce(start) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 } }
        return make(high: hash(0xcbf2_9ce4_8422_2325), low: hash(0x9ae1_6a3b_2f90_404f))
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
