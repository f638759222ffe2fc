import AMQP
import CeleryProtocol
import Testing

/// Thousands of damaged messages: each is read or throws, and none ends the process.
@Suite("Damaged messages")
struct MutationTests {
    private static let rounds = 40

    @Test("Damaged bodies", arguments: GoldenCorpus.names)
    func bodies(_ name: String) throws {
        let golden = try GoldenCorpus.load(name)
        guard golden.body.count < 10_000 else { return }
        var mutator = Mutator(seed: name)
        for _ in 0..<Self.rounds {
            let body = mutator.damaged(golden.body)
            read(golden.properties, body)
            // What is read can be written, and is then read again as the same.
            guard let message = try? TaskMessage.decode(properties: golden.properties, body: body) else { continue }
            let (properties, written) = message.encoded()
            let again = try TaskMessage.decode(properties: properties, body: written)
            #expect(again.body.encoded() == written)
        }
    }

    @Test("Damaged headers", arguments: GoldenCorpus.taskNames)
    func headers(_ name: String) throws {
        let golden = try GoldenCorpus.load(name)
        var mutator = Mutator(seed: name)
        var properties = golden.properties
        for _ in 0..<Self.rounds {
            properties.headers = mutator.damaged(golden.properties.headers ?? [:])
            read(properties, golden.body)
        }
    }

    @Test("Random values in every place of a body")
    func values() throws {
        var mutator = Mutator(seed: "values")
        for _ in 0..<2000 {
            let json = mutator.value(depth: 0)
            let body = json.serialized()
            read(Samples.properties(), body)
            read(Samples.properties(headers: nil), body)
            read(Samples.properties(), JSONValue.array([mutator.value(depth: 1), json, json]).serialized())
            _ = try? SignatureWire(decoding: json).json
            _ = try? ExceptionInfo(decoding: json).pythonRepr
            _ = try? ResultTuple(decoding: json).json
        }
    }

    /// Every way in for a message from outside.
    private func read(_ properties: BasicProperties, _ body: [UInt8]) {
        if let envelope = try? ReceivedTask.recognise(properties, body: body) {
            _ = try? envelope.message().encoded()
            _ = envelope.headers.hardLimit.duration
            _ = envelope.headers.retries + 1
        }
        if let result = try? ResultMessage.decode(properties: properties, body: body) {
            _ = result.exception?.message
            _ = try? result.childResults()
            _ = result.encoded()
        }
        _ = ReceivedTask.identity(of: properties)
    }
}
