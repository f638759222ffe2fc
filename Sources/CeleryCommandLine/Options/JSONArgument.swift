import Celery

/// Reads the JSON values of `--args` and `--kwargs`.
enum JSONArgument {
    /// Reads an array: the positional arguments of a call.
    static func array(_ text: String) throws -> [JSONValue] {
        guard case .array(let values) = try parse(text) else {
            throw OptionError("must be a JSON array, such as [2, 3]")
        }
        return values
    }

    /// Reads an object: the keyword arguments of a call.
    static func object(_ text: String) throws -> JSONObject {
        guard case .object(let object) = try parse(text) else {
            throw OptionError(#"must be a JSON object, such as {"x": 2}"#)
        }
        return object
    }

    private static func parse(_ text: String) throws -> JSONValue {
        do {
            return try JSONValue(parsing: Array(text.utf8))
        } catch {
            throw OptionError("not valid JSON: \(error.message)")
        }
    }
}
