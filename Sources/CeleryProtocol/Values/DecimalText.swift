/// A decimal number of any size, read from and written as the text of Python's `decimal.Decimal`.
struct DecimalText: Sendable, Hashable {
    enum Magnitude: Sendable, Hashable {
        /// The coefficient's digits, without leading zeros, times ten to the power of the exponent.
        case finite(coefficient: [UInt8], exponent: Int)
        case infinity
        /// Not a number, with the digits of its diagnostic payload.
        case nan(isSignaling: Bool, payload: [UInt8])
    }

    var isNegative: Bool
    var magnitude: Magnitude

    /// What Python's C implementation can hold.
    private static let greatestAdjustedExponent = 999_999_999_999_999_999
    private static let leastExponent = -1_999_999_999_999_999_997

    /// Reads what `decimal.Decimal(text)` accepts: surrounding blanks, underscores, any case.
    init?(parsing text: String) {
        var scanner = Scanner(text)
        isNegative = scanner.consume("-")
        if !isNegative { _ = scanner.consume("+") }
        if scanner.consume("infinity") || scanner.consume("inf") {
            magnitude = .infinity
        } else if scanner.consume("snan") {
            magnitude = .nan(isSignaling: true, payload: Self.withoutLeadingZeros(scanner.digits()))
        } else if scanner.consume("nan") {
            magnitude = .nan(isSignaling: false, payload: Self.withoutLeadingZeros(scanner.digits()))
        } else {
            guard let finite = Self.finite(&scanner) else { return nil }
            magnitude = finite
        }
        guard scanner.isAtEnd else { return nil }
    }

    private static func finite(_ scanner: inout Scanner) -> Magnitude? {
        let whole = scanner.digits()
        let fraction = scanner.consume(".") ? scanner.digits() : []
        guard !whole.isEmpty || !fraction.isEmpty else { return nil }
        var exponent = 0
        if scanner.consume("e") {
            guard let number = scanner.signedInteger() else { return nil }
            exponent = number
        }
        exponent -= fraction.count
        var coefficient = withoutLeadingZeros(whole + fraction)
        if coefficient.isEmpty { coefficient = [UInt8(ascii: "0")] }
        guard exponent >= leastExponent, exponent + coefficient.count - 1 <= greatestAdjustedExponent else {
            return nil
        }
        return .finite(coefficient: coefficient, exponent: exponent)
    }

    private static func withoutLeadingZeros(_ digits: [UInt8]) -> [UInt8] {
        Array(digits.drop { $0 == UInt8(ascii: "0") })
    }

    /// The text of Python's `str`: scientific where the exponent is positive or the number very small.
    var text: String {
        var output: [UInt8] = isNegative ? [UInt8(ascii: "-")] : []
        switch magnitude {
        case .infinity:
            output += "Infinity".utf8
        case .nan(let isSignaling, let payload):
            output += (isSignaling ? "sNaN" : "NaN").utf8
            output += payload
        case .finite(let coefficient, let exponent):
            Self.write(coefficient, exponent: exponent, to: &output)
        }
        return String(decoding: output, as: UTF8.self)
    }

    private static func write(_ coefficient: [UInt8], exponent: Int, to output: inout [UInt8]) {
        let point = exponent + coefficient.count
        if exponent <= 0, point > -6 {
            if point <= 0 {
                output += "0.".utf8
                output += repeatElement(UInt8(ascii: "0"), count: -point)
                output += coefficient
            } else {
                output += coefficient[..<point]
                guard point < coefficient.count else { return }
                output.append(UInt8(ascii: "."))
                output += coefficient[point...]
            }
            return
        }
        output.append(coefficient[0])
        if coefficient.count > 1 {
            output.append(UInt8(ascii: "."))
            output += coefficient[1...]
        }
        output += (point > 0 ? "E+\(point - 1)" : "E\(point - 1)").utf8
    }
}

extension DecimalText {
    /// A cursor over the text in lower case, without blanks around it and underscores in it.
    private struct Scanner {
        private let text: [UInt8]
        private var index = 0

        init(_ text: String) {
            let isBlank: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0D).contains($0) }
            let trimmed = text.utf8.drop(while: isBlank).reversed().drop(while: isBlank).reversed()
            self.text = trimmed.compactMap { byte in
                switch byte {
                case UInt8(ascii: "_"): nil
                case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte + 0x20
                default: byte
                }
            }
        }

        var isAtEnd: Bool { index == text.count }

        mutating func consume(_ word: StaticString) -> Bool {
            let word = Array("\(word)".utf8)
            guard text[index...].starts(with: word) else { return false }
            index += word.count
            return true
        }

        mutating func digits() -> [UInt8] {
            let digits = text[index...].prefix { ASCII.decimalDigit($0) != nil }
            index += digits.count
            return Array(digits)
        }

        /// An integer that is far enough from the bounds of 64 bits for further sums.
        mutating func signedInteger() -> Int? {
            let isNegative = consume("-")
            if !isNegative { _ = consume("+") }
            let magnitude = withoutLeadingZeros(digits: digits())
            guard let magnitude, magnitude.count < 20 else { return nil }
            guard let number = Int(String(decoding: magnitude, as: UTF8.self)), number <= Int.max / 2 else {
                return nil
            }
            return isNegative ? -number : number
        }

        private func withoutLeadingZeros(digits: [UInt8]) -> [UInt8]? {
            guard !digits.isEmpty else { return nil }
            let significant = digits.drop { $0 == UInt8(ascii: "0") }
            return significant.isEmpty ? [UInt8(ascii: "0")] : Array(significant)
        }
    }
}
