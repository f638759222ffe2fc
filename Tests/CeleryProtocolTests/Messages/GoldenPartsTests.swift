import AMQP
import CeleryProtocol
import Testing

/// The values inside of real messages: signatures, result tuples, exceptions, and the texts of arguments.
@Suite("Parts of golden messages")
struct GoldenPartsTests {
    @Test("Every signature in a body is written as it came", arguments: GoldenCorpus.names)
    func signatures(_ name: String) throws {
        guard Expectation(of: name) != .refused else { return }
        let golden = try GoldenCorpus.load(name)
        for signature in signatures(in: try JSONValue(parsing: golden.body)) {
            #expect(try SignatureWire(decoding: signature).json == signature)
        }
    }

    @Test("The corpus holds signatures of every kind")
    func signatureKinds() throws {
        var kinds: Set<String?> = []
        for name in GoldenCorpus.taskNames {
            let body = try JSONValue(parsing: GoldenCorpus.load(name).body)
            for signature in signatures(in: body) { kinds.insert(try SignatureWire(decoding: signature).subtaskType) }
        }
        #expect(kinds == [nil, "chain", "group", "chord"])
    }

    @Test("Children and exceptions are written as they came", arguments: GoldenCorpus.resultNames)
    func results(_ name: String) throws {
        let golden = try GoldenCorpus.load(name)
        let result = try ResultMessage(decoding: golden.body)
        #expect(try result.childResults().map(\.json) == result.children)
        if result.state.isException {
            let exception = try #require(result.exception)
            #expect(exception.json == result.result)
        } else {
            #expect(result.exception == nil)
        }
    }

    /// Captures with signatures and results among their arguments, whose tuples travel as lists.
    static let withTuples: Set<String> = [
        "chord_body_chain.1of3", "chord_errback.1of3", "chord_from_chain.1of3", "chord_group_body.1of3",
        "chord_header_of_chains.1of3", "chord_nested.1of5", "chord_nested.3of5", "chord_options.1of3",
        "chord_replace_group.1of3", "chord_stamped.1of3", "chord_two.1of3", "chunks.1of3",
        "chunks.2of3", "chunks.3of3", "chunks_group.1of2", "chunks_group.2of2", "map", "starmap",
    ]

    /// Why the text of the arguments cannot be made of what has travelled: it tells of types that JSON does not have.
    static let reprExceptions: [String: String] = [
        "task_argsrepr_override": "the caller gave texts of his own",
        "task_tuple_set_repr": "tuples travel as lists",
        "task_extended_json": "a tuple travels as a list",
        "task_int_keys": "keys travel as text",
        "signature_in_args": "a signature's tuple of arguments travels as a list",
        "signature_chain_in_args": "a signature's tuple of arguments travels as a list",
        "signature_chord_in_args": "a signature's tuple of arguments travels as a list",
        "signature_group_in_args": "a signature's tuple of arguments travels as a list",
    ]

    /// The caller gave a list in place of a tuple.
    static let listCases: Set<String> = ["send_task_by_name", "send_task_queue", "send_task_registered"]

    @Test("The texts of the arguments are made as Celery makes them", arguments: GoldenCorpus.taskNames)
    func reprs(_ name: String) throws {
        let golden = try GoldenCorpus.load(name)
        let message = try TaskMessage.decode(properties: golden.properties, body: golden.body)
        let args = message.body.args
        let argsText = Self.listCases.contains(name) ? PythonRepr.repr(.array(args)) : PythonRepr.arguments(args)
        let texts = [argsText, PythonRepr.keywords(message.body.kwargs)]
        let captured = [message.headers.argsrepr, message.headers.kwargsrepr]
        if let reason = Self.reprExceptions[name] ?? (Self.withTuples.contains(name) ? "tuples" : nil) {
            #expect(texts != captured, "no exception is needed any more: \(reason)")
        } else {
            #expect(texts == captured)
        }
    }

    private func signatures(in json: JSONValue) -> [JSONValue] {
        switch json {
        case .array(let elements):
            return elements.flatMap(signatures(in:))
        case .object(let entries):
            let inner = entries.flatMap { signatures(in: $0.value) }
            return json["subtask_type"] == nil ? inner : [json] + inner
        default:
            return []
        }
    }
}
