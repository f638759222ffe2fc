import AMQP
import Testing

@testable import CeleryCommandLine

/// The small client of the management API, and what is made of its answers.
@Suite struct BindingTests {
    private func read(_ text: String, ends: Bool = false, inPiecesOf size: Int) throws -> HTTPResponseReader {
        var reader = HTTPResponseReader(mostBodyBytes: 100)
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            try reader.receive(rest.prefix(size))
            rest = rest.dropFirst(size)
        }
        if ends { try reader.end() }
        return reader
    }

    @Test(arguments: [1, 2, 7, 1000])
    func answersOfEachForm(size: Int) throws {
        let counted = try read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", inPiecesOf: size)
        #expect(counted.isComplete && counted.status == 200 && counted.body == Array("hello".utf8))
        let chunked = try read(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 No\r\ntransfer-encoding: Chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nx: y\r\n\r\n",
            inPiecesOf: size
        )
        #expect(chunked.isComplete && chunked.status == 404 && chunked.body == Array("abc0123456789".utf8))
        let open = try read("HTTP/1.0 200\nServer: x\n\nto the end", ends: true, inPiecesOf: size)
        #expect(open.isComplete && open.body == Array("to the end".utf8))
        #expect(try read("HTTP/1.1 204 Nothing\r\n\r\n", inPiecesOf: size).isComplete)
    }

    @Test(arguments: [
        "SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n" + String(repeating: "x", count: 101),
        "HTTP/1.1 200 OK\r\n" + String(repeating: "x", count: 70_000), "",
    ])
    func otherAnswersAreRefused(text: String) {
        #expect(throws: HTTPResponseReader.Malformed.self) { try read(text, ends: true, inPiecesOf: 64) }
    }

    @Test func theRequestNamesTheHostAndTheUser() {
        let get = HTTPGet(host: "::1", port: 15672, path: "/api/bindings", user: "guest", password: "guest")
        let text = String(decoding: get.bytes, as: UTF8.self)
        #expect(text.hasPrefix("GET /api/bindings HTTP/1.1\r\nHost: [::1]:15672\r\n"))
        #expect(text.contains("Authorization: Basic Z3Vlc3Q6Z3Vlc3Q=\r\n"))
        #expect(text.hasSuffix("Connection: close\r\n\r\n"))
    }

    @Test func theTableIsCelerys() throws {
        let answer = #"[{"source":"","vhost":"/","destination":"celery","routing_key":"celery"},{"source":"x"}]"#
        let list = try BindingList(parsing: Array(answer.utf8))
        #expect(
            list.table == """
                Queue                        Exchange                     Routing Key
                ----------------             ----------------             ----------------
                celery                                                    celery
                """
        )
        #expect(throws: CommandFailure.self) { try BindingList(parsing: Array("{}".utf8)) }
    }

    @Test func theAddressIsThatOfTheBroker() throws {
        let broker = try AMQPURI.parse("amqp://u:p@broker:5673/v?manager_port=1234")[0]
        let address = try ManagementAddress(broker: broker)
        #expect(address.host == "broker" && address.port == 1234 && address.user == "u" && address.password == "p")
        let other = try ManagementAddress(parsing: "http://me:s%40@other", broker: broker)
        #expect(other.host == "other" && other.port == 15672 && other.user == "me" && other.password == "s@")
        #expect(try ManagementAddress(parsing: "http://[::1]:80", broker: broker).host == "::1")
    }

    @Test(arguments: ["https://other", "other:15672", "ftp://x", "http://"])
    func otherAddressesAreRefused(text: String) throws {
        let broker = try AMQPURI.parse("amqp://broker")[0]
        #expect(throws: CommandFailure.self) { try ManagementAddress(parsing: text, broker: broker) }
    }

    @Test func aPasswordThatTravelsByTLSTravelsNoOtherWay() throws {
        #expect(throws: CommandFailure.self) { try ManagementAddress(broker: try AMQPURI.parse("amqps://u:p@far")[0]) }
        #expect(try ManagementAddress(broker: try AMQPURI.parse("amqps://u:p@localhost")[0]).port == 15672)
    }
}
