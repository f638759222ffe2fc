import AMQP
import CeleryProtocol
import Testing

/// Real messages are read, and written again as Celery wrote them.
@Suite("Golden messages")
struct GoldenMessageTests {
    @Test("The index and the files are the same set")
    func indexIsComplete() throws {
        #expect(try GoldenCorpus.indexedNames().sorted() == GoldenCorpus.committedNames())
        #expect(Set(Expectation.exceptions.keys).isSubset(of: GoldenCorpus.names))
    }

    @Test("Every family has messages", arguments: GoldenCorpus.families)
    func familyIsThere(_ family: String) {
        #expect(GoldenCorpus.names.contains { $0.hasPrefix(family) })
    }

    @Test("The header frame is what the capture describes", arguments: GoldenCorpus.names)
    func headerFrame(_ name: String) throws {
        let golden = try GoldenCorpus.load(name)
        let (properties, bodySize) = try ContentHeaderCodec.decode(golden.headerFrame)
        #expect(properties == golden.properties)
        #expect(bodySize == UInt64(golden.body.count))
        #expect(try ContentHeaderCodec.encode(golden.properties, bodySize: bodySize) == golden.headerFrame)
    }

    @Test("A message is read and written again", arguments: GoldenCorpus.names)
    func roundTrip(_ name: String) throws {
        let golden = try GoldenCorpus.load(name)
        switch Expectation(of: name) {
        case .refused: expectRefusal(of: golden)
        case .readOnly: try expectReadableVersion1(golden)
        case .equalFields: try expectEqualFields(golden)
        case .equalBytes: try expectEqualBytes(golden)
        }
    }

    private func expectEqualBytes(_ golden: GoldenCase) throws {
        let (properties, body) = try Self.rewritten(golden)
        #expect(text(body) == text(golden.body))
        let frame = try ContentHeaderCodec.encode(properties, bodySize: UInt64(body.count))
        #expect(frame == golden.headerFrame, "\(properties) is not \(golden.properties)")
    }

    /// The broker sorts the table of a message that it moves; what counts is that no field is lost or changed.
    private func expectEqualFields(_ golden: GoldenCase) throws {
        let (properties, body) = try Self.rewritten(golden)
        #expect(text(body) == text(golden.body))
        #expect(sorted(properties.headers) == sorted(golden.properties.headers))
        #expect(properties.headers != golden.properties.headers, "no exception is needed any more")
    }

    private func expectReadableVersion1(_ golden: GoldenCase) throws {
        let envelope = try ReceivedTask.recognise(golden.properties, body: golden.body)
        #expect(envelope.form == .version1)
        let json = try JSONValue(parsing: golden.body)
        #expect(envelope.headers.task == json["task"]?.stringValue)
        #expect(envelope.headers.id == json["id"]?.stringValue)
        #expect(envelope.headers.custom == golden.properties.headers)
        let body = try envelope.decodedBody()
        #expect(JSONValue.array(body.args) == json["args"])
        #expect(JSONValue.object(body.kwargs) == json["kwargs"])
        #expect(text(json.serialized()) == text(golden.body))
    }

    private func expectRefusal(of golden: GoldenCase) {
        #expect(throws: ProtocolError.self) {
            try ResultMessage.decode(properties: golden.properties, body: golden.body)
        }
        let everything: AcceptedContent = ["json", "pickle", "yaml", "msgpack"]
        for accept in [.json, everything] {
            let error = #expect(throws: ProtocolError.self) {
                try ResultMessage.decode(properties: golden.properties, body: golden.body, accept: accept)
            }
            #expect(error?.code == .contentDisallowed)
        }
    }

    private static func rewritten(_ golden: GoldenCase) throws -> (properties: BasicProperties, body: [UInt8]) {
        if golden.name.hasPrefix("result_") {
            let result = try ResultMessage.decode(properties: golden.properties, body: golden.body)
            let persistent = golden.properties.deliveryMode == 2
            return (result.properties(persistent: persistent), result.encoded())
        }
        return try TaskMessage.decode(properties: golden.properties, body: golden.body).encoded()
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    private func sorted(_ table: FieldTable?) -> [FieldTable.Field] {
        (table?.fields ?? []).sorted { $0.name < $1.name }
    }
}
