import FoundationEssentials

extension KnownTypes {
    /// Conversions of kombu's extended types, also from the strings of senders that do not know these types.
    enum Extended {
        static func wireDate(_ value: JSONValue, _ path: @autoclosure () -> CodingPath) throws -> WireDate {
            switch value {
            case .datetime(let date): return date
            case .date(let text), .string(let text):
                guard let date = try? WireDate(parsing: text) else { throw invalid("date", Date.self, path()) }
                return date
            default: throw mismatch(Date.self, value, path: path())
            }
        }

        static func date(_ value: JSONValue, _ path: @autoclosure () -> CodingPath) throws -> Date {
            try wireDate(value, path()).date
        }

        static func bytes(_ value: JSONValue, _ path: @autoclosure () -> CodingPath) throws -> [UInt8] {
            guard case .bytes(let bytes) = value else { throw mismatch(Data.self, value, path: path()) }
            return bytes
        }

        static func uuid(_ value: JSONValue, _ path: @autoclosure () -> CodingPath) throws -> UUID {
            switch value {
            case .uuid(let uuid): return uuid
            case .string(let text):
                guard let uuid = UUID(pythonHex: text) else { throw invalid("UUID", UUID.self, path()) }
                return uuid
            default: throw mismatch(UUID.self, value, path: path())
            }
        }

        static func url(_ value: JSONValue, _ path: @autoclosure () -> CodingPath) throws -> URL {
            guard let url = URL(string: try Scalars.string(value, path())) else {
                throw invalid("URL", URL.self, path())
            }
            return url
        }

        /// A decimal, or the number that an integer's or a float's text shows.
        static func decimal(_ value: JSONValue, _ path: @autoclosure () -> CodingPath) throws -> Decimal {
            let text: String
            switch value {
            case .decimal(let decimal): text = decimal
            case .string(let string): text = string
            case .int(let number): text = String(number)
            case .bigInteger(let digits): text = digits
            case .double(let number): text = number.description
            default: throw mismatch(Decimal.self, value, path: path())
            }
            guard let number = DecimalText(parsing: text) else { throw invalid("decimal", Decimal.self, path()) }
            guard let decimal = Decimal(exactly: number) else {
                let message = "a decimal with more digits than \(Decimal.self) can hold"
                throw DecodingError.dataCorrupted(.init(codingPath: path().keys, debugDescription: message))
            }
            return decimal
        }

        /// The text of Python's `str(Decimal)`.
        static func text(of decimal: Decimal) -> String {
            DecimalText(parsing: decimal.description)?.text ?? "NaN"
        }

        private static func invalid(_ kind: String, _ type: any Any.Type, _ path: CodingPath) -> DecodingError {
            .dataCorrupted(.init(codingPath: path.keys, debugDescription: "text that is no \(kind)"))
        }
    }
}

extension Decimal {
    /// The same number, unless it needs more than 38 digits, an exponent beyond 127, or is infinite.
    init?(exactly number: DecimalText) {
        guard case .finite(var coefficient, var exponent) = number.magnitude else {
            guard case .nan = number.magnitude else { return nil }
            self = .nan
            return
        }
        while coefficient.count > 1, coefficient.last == UInt8(ascii: "0") {
            coefficient.removeLast()
            exponent += 1
        }
        if coefficient == [UInt8(ascii: "0")] {
            self = 0
            return
        }
        // Large exponents may be spread into the coefficient's spare digits.
        guard let significand = UInt128(String(decoding: coefficient, as: UTF8.self), radix: 10),
            (-128...127).contains(exponent)
        else { return nil }
        let words = [UInt64(truncatingIfNeeded: significand >> 64), UInt64(truncatingIfNeeded: significand)]
        let twoToThe64 = Decimal(UInt64.max) + 1
        let magnitude = Decimal(words[0]) * twoToThe64 + Decimal(words[1])
        self.init(sign: number.isNegative ? .minus : .plus, exponent: exponent, significand: magnitude)
        guard isFinite else { return nil }
    }
}
