import CeleryProtocol

/// Turns what a task returned into JSON.
enum ResultEncoding {
    /// The value in JSON.
    ///
    /// - Throws: ``TaskError`` of the type `EncodeError`, as kombu names it.
    static func encode(_ output: some Encodable) throws(TaskError) -> JSONValue {
        do {
            return try JSONValueEncoder().encode(output)
        } catch {
            throw TaskError(
                type: "EncodeError",
                module: "kombu.exceptions",
                "the result of type \(type(of: output)) cannot be written as JSON"
            )
        }
    }
}
