import CeleryProtocol

/// Turns what a task returned into JSON.
enum ResultEncoding {
    /// What a task returned cannot be written as JSON: its body has succeeded, and is not to be tried again for it.
    struct Failure: Error {
        let error: TaskError
    }

    /// The result of a body in JSON.
    ///
    /// - Throws: `Failure`.
    static func result(_ output: some Encodable) throws(Failure) -> JSONValue {
        do throws(TaskError) {
            return try encode(output)
        } catch {
            throw Failure(error: error)
        }
    }

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
