extension JSONParser {
    /// The parts of a number's text.
    private struct NumberText {
        var isNegative = false
        /// The digits before and behind the point as one number, as far as it does not overflow.
        var mantissa: UInt64 = 0
        var mantissaOverflows = false
        /// The power of ten that the mantissa is to be multiplied with.
        var exponent = 0
        var isFloat = false
    }

    /// Reads an integer or a float; `1` and `1.0` stay apart.
    mutating func parseNumber(_ input: Span<UInt8>) throws(ProtocolError) -> JSONValue {
        let start = index
        var number = NumberText()
        if input[index] == UInt8(ascii: "-") {
            number.isNegative = true
            index += 1
            if index < input.count, input[index] == UInt8(ascii: "I") {
                return try parseLiteral("Infinity", .double(-.infinity), input)
            }
        }
        let integerStart = index
        guard scanDigits(into: &number, input) > 0 else { throw malformed("a number without digits") }
        if input[integerStart] == UInt8(ascii: "0"), index > integerStart + 1 {
            index = integerStart + 1
            throw malformed("text after a leading zero")
        }
        let digitCount = index - integerStart
        try scanFraction(into: &number, input)
        try scanExponent(into: &number, input)
        return number.isFloat
            ? .double(try float(number, text: start..<index))
            : try integer(number, digitCount: digitCount, text: start..<index)
    }

    private func integer(
        _ number: NumberText,
        digitCount: Int,
        text: Range<Int>
    ) throws(ProtocolError) -> JSONValue {
        guard digitCount <= limits.maxIntegerDigits else {
            throw ProtocolError(.tooLarge, "an integer of \(digitCount) digits at byte \(text.lowerBound)")
        }
        if !number.mantissaOverflows {
            if let narrow = Int(exactly: number.mantissa) { return .int(number.isNegative ? -narrow : narrow) }
            if number.isNegative, number.mantissa == Int.min.magnitude { return .int(.min) }
        }
        return .bigInteger(String(decoding: bytes[text], as: UTF8.self))
    }

    /// The nearest float, as Python's `float` of the text; too large numbers are infinite.
    private func float(_ number: NumberText, text: Range<Int>) throws(ProtocolError) -> Double {
        if !number.mantissaOverflows, let exact = exactFloat(number) { return exact }
        guard let value = Double(String(decoding: bytes[text], as: UTF8.self)) else {
            throw malformed("a number that cannot be read")
        }
        return value
    }

    /// One correctly rounded operation on two exact floats, where the number is small enough (Clinger's fast path).
    private func exactFloat(_ number: NumberText) -> Double? {
        guard number.mantissa <= 1 << 53, -22 <= number.exponent, number.exponent <= 22 else { return nil }
        let mantissa = Double(number.mantissa)
        let power = Self.powersOfTen[abs(number.exponent)]
        let magnitude = number.exponent < 0 ? mantissa / power : mantissa * power
        return number.isNegative ? -magnitude : magnitude
    }

    private static let powersOfTen: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]

    private mutating func scanFraction(
        into number: inout NumberText,
        _ input: Span<UInt8>
    ) throws(ProtocolError) {
        guard index < input.count, input[index] == UInt8(ascii: ".") else { return }
        number.isFloat = true
        index += 1
        let count = scanDigits(into: &number, input)
        guard count > 0 else { throw malformed("a point without digits") }
        number.exponent -= count
    }

    private mutating func scanExponent(
        into number: inout NumberText,
        _ input: Span<UInt8>
    ) throws(ProtocolError) {
        guard index < input.count, input[index] | 0x20 == UInt8(ascii: "e") else { return }
        number.isFloat = true
        index += 1
        let sign = index < input.count ? input[index] : 0
        if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { index += 1 }
        var exponent = NumberText()
        guard scanDigits(into: &exponent, input) > 0 else { throw malformed("an exponent without digits") }
        guard !exponent.mantissaOverflows, let magnitude = Int32(exactly: exponent.mantissa) else {
            number.mantissaOverflows = true
            return
        }
        number.exponent += sign == UInt8(ascii: "-") ? -Int(magnitude) : Int(magnitude)
    }

    /// Steps over decimal digits, gathers them in the mantissa and answers how many there were.
    private mutating func scanDigits(into number: inout NumberText, _ input: Span<UInt8>) -> Int {
        let start = index
        var position = index
        while position < input.count, let digit = ASCII.decimalDigit(input[position]) {
            let (shifted, overflow) = number.mantissa.multipliedReportingOverflow(by: 10)
            let (sum, carry) = shifted.addingReportingOverflow(UInt64(digit))
            number.mantissaOverflows = number.mantissaOverflows || overflow || carry
            number.mantissa = sum
            position += 1
        }
        index = position
        return position - start
    }
}
