import AMQP
import CeleryProtocol

/// Task messages of both protocols, and their hybrid.
///
/// Two bytes tell the length of a content header frame's payload, which follows; the rest is the body. Without a header
/// frame the properties are those of a JSON message.
enum TaskMessageFuzz {
    static func run(_ input: [UInt8]) {
        var reader = InputReader(input)
        let header = reader.bytes(Int(reader.number(UInt16.self)))
        let body = reader.remainder()
        guard !header.isEmpty else { return check(jsonProperties, body) }
        guard let decoded = try? ContentHeaderCodec.decode(header) else { return }
        check(decoded.properties, body)
    }

    private static var jsonProperties: BasicProperties {
        var properties = BasicProperties()
        properties.contentType = "application/json"
        properties.contentEncoding = "utf-8"
        return properties
    }

    private static func check(_ properties: BasicProperties, _ body: [UInt8]) {
        _ = ReceivedTask.identity(of: properties)
        do throws(ProtocolError) {
            let envelope = try ReceivedTask.recognise(properties, body: body)
            require(envelope.properties.headers == nil, "the headers stand for the header table")
            require(envelope.headers.retries >= 0, "the number of retries is not negative")
            let message = try envelope.message()
            check(message, form: envelope.form)
        } catch {
            checkShown(error, properties)
        }
    }

    /// Errors name content types and compression methods, and nothing else of a message.
    private static func checkShown(_ error: ProtocolError, _ properties: BasicProperties) {
        switch error.code {
        case .contentDisallowed, .unsupportedContentType, .unsupportedCompression: break
        default: Canary.check(error)
        }
    }

    private static func check(_ message: TaskMessage, form: TaskProtocol) {
        let written = message.encoded()
        do throws(ProtocolError) {
            let again = try TaskMessage.decode(properties: written.properties, body: written.body)
            let rewritten = again.encoded()
            require(rewritten.body == written.body, "the body's bytes stay the same")
            require(bytes(rewritten.properties) == bytes(written.properties), "the header's bytes stay the same")
        } catch {
            // Custom headers of protocol 1 may have the names of protocol 2's headers.
            require(form == .version1, "what was written is read: \(error)")
            checkShown(error, written.properties)
        }
        FieldTableFuzz.checkRoundTrip(written.properties)
    }

    /// nil where AMQP cannot carry the properties.
    private static func bytes(_ properties: BasicProperties) -> [UInt8]? {
        try? ContentHeaderCodec.encode(properties, bodySize: 0)
    }
}
