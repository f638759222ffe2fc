import CeleryProtocol
import FoundationEssentials
import Testing

/// The short texts in the headers of messages that Celery sent.
@Suite struct PythonReprGoldenTests {
    /// What JSON cannot tell any more: a tuple within the arguments, a key that was no string, arguments given as a list;
    /// and a text that the sender chose itself.
    static let differing = Set<String>([
        "send_task_by_name", "send_task_queue", "send_task_registered", "signature_chain_in_args",
        "signature_chord_in_args",
        "signature_group_in_args", "signature_in_args", "task_argsrepr_override", "task_extended_json", "task_int_keys",
        "task_tuple_set_repr",
    ])
    .union(GoldenPartsTests.withTuples)

    @Test func equalsTheHeadersOfRealMessages() throws {
        var compared = 0
        for message in try GoldenTask.all() where !Self.differing.contains(message.name) {
            #expect(PythonRepr.arguments(message.args) == message.argsrepr, "\(message.name)")
            #expect(PythonRepr.keywords(message.kwargs) == message.kwargsrepr, "\(message.name)")
            compared += 1
        }
        #expect(compared > 90)
    }

    @Test func showsExtendedTypesAsTheHeadersOfRealMessagesDo() throws {
        let message = try #require(try GoldenTask.all().first { $0.name == "task_extended_json" })
        let expected = message.argsrepr.replacing("'tuple': (1, 2)", with: "'tuple': [1, 2]")
        #expect(PythonRepr.arguments(message.args) == expected)
    }

    @Test func showsArgumentsGivenAsAListAsAList() throws {
        let message = try #require(try GoldenTask.all().first { $0.name == "send_task_registered" })
        #expect(PythonRepr.repr(.array(message.args)) == message.argsrepr)
    }

    @Test func writesTheBodiesOfRealMessages() throws {
        for message in try GoldenTask.all() {
            #expect(message.body.serialized() == message.bytes, "\(message.name)")
        }
    }
}

/// A captured task message of protocol 2 with a JSON body.
private struct GoldenTask {
    let name: String
    let argsrepr: String
    let kwargsrepr: String
    let bytes: [UInt8]
    let body: JSONValue

    var args: [JSONValue] { body[0]?.arrayValue ?? [] }
    var kwargs: JSONObject { body[1]?.objectValue ?? [:] }

    static func all() throws -> [GoldenTask] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Golden")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".json") }
        return try names.sorted().compactMap { name in
            let capture = try JSONValue(parsing: Array(try Data(contentsOf: folder.appending(path: name))))
            return try GoldenTask(name: String(name.dropLast(5)), capture: capture)
        }
    }

    private init?(name: String, capture: JSONValue) throws {
        guard capture["properties"]?["content_type"] == "application/json", let headers = capture["headers"],
            headers["compression"] == nil, let argsrepr = headers["argsrepr"]?.stringValue,
            let kwargsrepr = headers["kwargsrepr"]?.stringValue
        else { return nil }
        self.name = name
        self.argsrepr = argsrepr
        self.kwargsrepr = kwargsrepr
        if let text = capture["body_text"]?.stringValue {
            bytes = Array(text.utf8)
        } else {
            let text = try #require(capture["body_base64"]?.stringValue)
            bytes = Array(try #require(Data(base64Encoded: text)))
        }
        body = try JSONValue(parsing: bytes)
    }
}
