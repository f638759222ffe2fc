import AMQPValues
import Celery
import CeleryProtocol
import Testing

@testable import CeleryCommandLine

/// Lines of the AMQP shell, and how messages are shown.
@Suite struct ShellTests {
    @Test(arguments: [
        (#"a  b 'c d' "e f" g\ h"#, ["a", "b", "c d", "e f", "g h"]),
        (#"'' "" a''b"#, ["", "", "ab"]),
        (#"'it''s' "say \"x\" \\ \n" '\n'"#, ["its", #"say "x" \ \n"#, #"\n"#]),
        ("   ", []),
    ])
    func linesAreSplitAsInAShell(line: String, words: [String]) throws {
        #expect(try ShellWords.split(line) == words)
    }

    @Test(arguments: ["a 'b", "a \"b", "a\\"])
    func aLineMayBeIncomplete(line: String) {
        #expect(throws: OptionError.self) { try ShellWords.split(line) }
    }

    @Test(arguments: ["plain", "", "two words", "it's", "a\"b$c`d\\e", "-x=1", "ä"])
    func aQuotedWordIsReadAsItWas(word: String) throws {
        #expect(try ShellWords.split(ShellWords.quoted(word)) == [word])
    }

    private func read(_ line: String) throws -> ShellInstruction? {
        try ShellInstruction(words: ShellWords.split(line))
    }

    @Test func instructionsHaveCelerysArguments() throws {
        #expect(
            try read("exchange.declare x topic 0 yes")
                == .declareExchange(ExchangeDeclaration(name: "x", type: "topic", durable: true))
        )
        #expect(
            try read("exchange.declare x direct")
                == .declareExchange(ExchangeDeclaration(name: "x", type: "direct", durable: false))
        )
        #expect(try read("exchange.delete x true") == .deleteExchange("x", ifUnused: true))
        #expect(try read("queue.bind q x k") == .bindQueue("q", exchange: "x", routingKey: "k"))
        #expect(
            try read("queue.declare q f t on")
                == .declareQueue(QueueDeclaration(name: "q", durable: true, autoDelete: true))
        )
        #expect(try read("queue.delete q") == .deleteQueue("q", ifUnused: false, ifEmpty: false))
        #expect(try read("queue.delete q no 1") == .deleteQueue("q", ifUnused: false, ifEmpty: true))
        #expect(try read("queue.purge q") == .purgeQueue("q"))
        #expect(try read("basic.get q t") == .get("q", noAck: true))
        #expect(try read("basic.ack 18446744073709551615") == .acknowledge(.max))
        #expect(try read("help") == .help)
        #expect(try read(":q") == .exit)
        #expect(try read("") == nil)
    }

    @Test func aMessageIsMadeAsByPython() throws {
        guard case .publish(let message) = try read("basic.publish 'hello ä' '' q 1") else {
            Issue.record("no message")
            return
        }
        #expect(message.body == Array("hello ä".utf8))
        #expect(message.exchange == "" && message.routingKey == "q" && message.mandatory)
        #expect(message.properties.contentEncoding == "utf-8")
    }

    @Test(arguments: [
        "queue.declare", "queue.declare q maybe", "queue.purge q more", "basic.ack first", "basic.publish m x k 0 1",
        "nothing", "queue.bind q x",
    ])
    func otherLinesAreRefused(line: String) {
        #expect(throws: OptionError.self) { try read(line) }
    }

    @Test func aMessageIsShownAsByPprint() {
        var properties = BasicProperties()
        properties.contentEncoding = "utf-8"
        properties.deliveryMode = 2
        properties.headers = ["task": "proj.add", "retries": 0]
        let message = IncomingMessage(
            deliveryTag: 1,
            exchange: "",
            routingKey: "q",
            properties: properties,
            body: Array("it\u{1B}[2J\n".utf8)
        )
        #expect(
            MessageDump.text(of: message) == """
                {'body': 'it\\x1b[2J\\n',
                 'delivery_info': {'delivery_tag': 1,
                                   'exchange': '',
                                   'redelivered': False,
                                   'routing_key': 'q'},
                 'properties': {'application_headers': {'retries': 0, 'task': 'proj.add'},
                                'content_encoding': 'utf-8',
                                'delivery_mode': 2}}
                """
        )
    }

    @Test func aShortValueIsOnOneLine() {
        #expect(PythonLayout.text(of: ["b": 1, "a": [true, .null]]) == "{'a': [True, None], 'b': 1}")
    }
}
