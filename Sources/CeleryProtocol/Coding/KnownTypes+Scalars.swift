extension KnownTypes {
    /// Conversions of JSON's own values.
    enum Scalars {
        static func integer<T: FixedWidthInteger>(
            _ type: T.Type,
            _ value: JSONValue,
            _ path: @autoclosure () -> CodingPath
        ) throws -> T {
            let number: T?
            switch value {
            case .int(let integer): number = T(exactly: integer)
            case .bigInteger(let digits): number = T(digits, radix: 10)
            default: throw mismatch(type, value, path: path())
            }
            guard let number else {
                let message = "an integer beyond the range of \(type)"
                throw DecodingError.dataCorrupted(.init(codingPath: path().keys, debugDescription: message))
            }
            return number
        }

        static func string(_ value: JSONValue, _ path: @autoclosure () -> CodingPath) throws -> String {
            guard case .string(let text) = value else { throw mismatch(String.self, value, path: path()) }
            return text
        }

        static func bool(_ value: JSONValue, _ path: @autoclosure () -> CodingPath) throws -> Bool {
            guard case .bool(let flag) = value else { throw mismatch(Bool.self, value, path: path()) }
            return flag
        }

        /// A float, or the float nearest to an integer.
        static func double(_ value: JSONValue, _ path: @autoclosure () -> CodingPath) throws -> Double {
            switch value {
            case .double(let number): return number
            case .int(let integer): return Double(integer)
            case .bigInteger(let digits):
                if let number = Double(digits), number.isFinite { return number }
                throw beyondRange(Double.self, path())
            default: throw mismatch(Double.self, value, path: path())
            }
        }

        static func float(_ value: JSONValue, _ path: @autoclosure () -> CodingPath) throws -> Float {
            let number = try double(value, path())
            let narrow = Float(number)
            guard narrow.isFinite || !number.isFinite else { throw beyondRange(Float.self, path()) }
            return narrow
        }

        private static func beyondRange(_ type: any Any.Type, _ path: CodingPath) -> DecodingError {
            .dataCorrupted(.init(codingPath: path.keys, debugDescription: "a number beyond the range of \(type)"))
        }
    }
}
