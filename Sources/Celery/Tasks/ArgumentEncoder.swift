/// Collects positional arguments as JSON and remembers the first that could not be encoded.
package struct ArgumentEncoder {
    /// The arguments so far.
    package private(set) var values: [JSONValue] = []
    /// Why an argument could not be encoded.
    package private(set) var error: CeleryError?

    package init() {}

    /// Encodes one more argument.
    package mutating func append(_ argument: some Encodable) {
        do {
            values.append(try JSONValueEncoder().encode(argument))
        } catch {
            if self.error == nil {
                self.error = CeleryError(
                    .encoding,
                    "positional argument \(values.count) of type \(type(of: argument)) cannot be encoded",
                    underlying: error
                )
            }
            values.append(.null)
        }
    }
}
