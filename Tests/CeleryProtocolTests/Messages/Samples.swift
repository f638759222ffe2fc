import AMQP
import CeleryProtocol

/// Messages for tests, each a small change away from a good one.
enum Samples {
    /// The smallest headers that make a task of protocol 2.
    static let headers: FieldTable = ["task": "tasks.add", "id": "id-1"]

    /// A good body.
    static let body = #"[[2, 3], {}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]"#

    static func properties(
        headers: FieldTable? = Samples.headers,
        contentType: String? = "application/json",
        correlationID: String? = "id-1"
    ) -> BasicProperties {
        var properties = BasicProperties()
        properties.contentType = contentType
        properties.contentEncoding = "utf-8"
        properties.headers = headers
        properties.correlationID = correlationID
        properties.replyTo = "replies"
        return properties
    }

    /// Headers with one field more.
    static func headers(with name: String, _ value: FieldValue) -> FieldTable {
        var table = headers
        table[name] = value
        return table
    }

    /// Headers with one field less.
    static func headers(without name: String) -> FieldTable {
        var table = headers
        table[name] = nil
        return table
    }

    /// Decodes a whole message of protocol 2 with the smallest headers.
    static func decode(_ body: String, limits: JSONLimits = JSONLimits()) throws(ProtocolError) -> TaskMessage {
        try TaskMessage.decode(properties: properties(), body: Array(body.utf8), limits: limits)
    }
}

/// The protocol error that a closure throws; nil where it throws none.
func failure<Value>(of read: () throws -> Value) -> ProtocolError? {
    do {
        _ = try read()
        return nil
    } catch {
        return error as? ProtocolError
    }
}

/// The code of the protocol error that a closure throws; nil where it throws none.
func code<Value>(of read: () throws -> Value) -> ProtocolError.Code? { failure(of: read)?.code }

/// The text of the protocol error that a closure throws; nil where it throws none.
func message<Value>(of read: () throws -> Value) -> String? { failure(of: read)?.message }
