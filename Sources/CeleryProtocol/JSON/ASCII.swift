/// Digits of ASCII.
enum ASCII {
    /// The value of a decimal digit.
    static func decimalDigit(_ byte: UInt8) -> UInt8? {
        let digit = byte &- 0x30
        return digit < 10 ? digit : nil
    }

    /// The value of a hexadecimal digit in either case.
    static func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte &- 0x30
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte &- 0x57
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte &- 0x37
        default: nil
        }
    }

    /// Appends an integer in decimal digits.
    static func append(_ number: Int, to output: inout [UInt8]) {
        if number < 0 { output.append(UInt8(ascii: "-")) }
        let magnitude = number.magnitude
        var divisor: UInt = 1
        while magnitude / divisor >= 10 { divisor *= 10 }
        append(magnitude, from: divisor, to: &output)
    }

    /// Appends a number that is not negative with leading zeros up to a count of digits.
    static func append(_ number: Int, digits: Int, to output: inout [UInt8]) {
        var divisor: UInt = 1
        for _ in 1..<digits { divisor *= 10 }
        append(number.magnitude, from: divisor, to: &output)
    }

    /// Appends the digits from the one that a power of ten stands for downwards.
    private static func append(_ number: UInt, from divisor: UInt, to output: inout [UInt8]) {
        var divisor = divisor
        while divisor > 0 {
            output.append(0x30 &+ UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
    }

    /// The digit in lower case of a number below 16.
    static func hexadecimalCharacter(_ digit: UInt8) -> UInt8 {
        digit < 10 ? 0x30 &+ digit : 0x57 &+ digit
    }
}
