import Testing

@testable import AMQP

@Suite("AMQPURI reads addresses as kombu does")
struct AMQPURITests {
    struct Case: Sendable, CustomTestStringConvertible {
        var text: String
        var host = "localhost"
        var port = 5672
        var user = "guest"
        var password = "guest"
        var virtualHost = "/"
        var tls = false

        var testDescription: String { text }
    }

    static let cases = [
        Case(text: "amqp://"),
        Case(text: "amqp://h", host: "h"),
        Case(text: "amqp://h/", host: "h"),
        Case(text: "amqp://h//", host: "h"),
        Case(text: "amqp://h/%2F", host: "h"),
        Case(text: "amqp://h/v", host: "h", virtualHost: "v"),
        Case(text: "amqp://h//v", host: "h", virtualHost: "/v"),
        Case(text: "amqps://h/v", host: "h", port: 5671, virtualHost: "v", tls: true),
        Case(text: "pyamqp://h:99/v", host: "h", port: 99, virtualHost: "v"),
        Case(text: "librabbitmq://h/v", host: "h", virtualHost: "v"),
        Case(text: "amqp://h/v?ssl=1", host: "h", port: 5671, virtualHost: "v", tls: true),
        Case(
            text: "amqp://u%40x:p%3A%2F%3B@h:1/a%2Fb",
            host: "h",
            port: 1,
            user: "u@x",
            password: "p:/;",
            virtualHost: "a/b"
        ),
        Case(text: "amqp://u@h/", host: "h", user: "u", password: ""),
        Case(text: "amqp://[::1]:5673/x", host: "::1", port: 5673, virtualHost: "x"),
        Case(text: "broker.example", host: "broker.example"),
        Case(text: "broker.example:5673/v", host: "broker.example", port: 5673, virtualHost: "v"),
    ]

    @Test(arguments: cases)
    func reads(_ expected: Case) throws {
        let address = try #require(try AMQPURI.parse(expected.text).first)
        #expect(address.host == expected.host)
        #expect(address.port == expected.port)
        #expect(address.userName == expected.user)
        #expect(address.password == expected.password)
        #expect(address.virtualHost == expected.virtualHost)
        #expect(address.tls == expected.tls)
    }

    @Test func readsSeveralAddresses() throws {
        let addresses = try AMQPURI.parse("amqp://a//;amqps://b//v?heartbeat=10")
        #expect(addresses.map(\.host) == ["a", "b"])
        #expect(addresses[1].virtualHost == "/v")
        #expect(addresses[1].query == ["heartbeat": "10"])
    }

    @Test(arguments: [
        "", ";", "redis://h/0", "amqp://h:0/", "amqp://h:65536/", "amqp://h:x/", "amqp://[::1]x/", "amqp://h/a%00b",
        "amqp://h/?ssl_ca_certs=/ca%00.pem",
    ])
    func refuses(_ text: String) {
        #expect { try AMQPURI.parse(text) } throws: { ($0 as? AMQPError)?.code == .invalidURL }
    }

    @Test func neverPrintsThePassword() throws {
        let address = try #require(try AMQPURI.parse("amqp://user:s3cret@h:5673/v").first)
        var dumped = ""
        dump(address, to: &dumped)
        for text in ["\(address)", String(reflecting: address), address.redacted, dumped] {
            #expect(!text.contains("s3cret"))
        }
        #expect(address.redacted == "amqp://user:**@h:5673/v")
    }

    @Test(arguments: ["h%2Fx", "a%40b", "a%3Ab%5Dc", "a%0Ab", "%C3%A9", "[fe80::1%25eth0]"])
    func whatIsShownIsReadAsTheSame(_ host: String) throws {
        let address = try #require(try AMQPURI.parse("amqp://u%3A@\(host):1/v%3F").first)
        let shown = try #require(try AMQPURI.parse(address.redacted).first)
        #expect(shown.host == address.host)
        #expect(shown.port == address.port)
        #expect(shown.userName == address.userName)
        #expect(shown.virtualHost == address.virtualHost)
    }

    @Test(arguments: ["amqp://user:s3cret@h:notaport/", "user:s3cret@h/v?next=http://x", "amqp:/user:s3cret@h://v"])
    func errorsDoNotQuoteTheURL(_ text: String) {
        #expect { try AMQPURI.parse(text) } throws: { !"\($0)".contains("s3cret") }
    }

    @Test func configurationReadsOptions() throws {
        let text =
            "amqps://h/v?heartbeat=7&connect_timeout=1.5&frame_max=8192&channel_max=9&login_method=EXTERNAL"
            + "&ssl_ca_certs=/ca.pem&ssl_certfile=/c.pem&ssl_keyfile=/k.pem"
        let address = try #require(try AMQPURI.parse(text).first)
        let configuration = try ConnectionConfiguration(uri: address)
        #expect(configuration.heartbeat == .seconds(7))
        #expect(configuration.connectTimeout == .milliseconds(1500))
        #expect(configuration.frameMax == 8192)
        #expect(configuration.channelMax == 9)
        #expect(configuration.saslMechanism == .external)
        #expect(configuration.tls.certificateAuthorityFile == "/ca.pem")
        #expect(configuration.tls.certificateFile == "/c.pem")
        #expect(configuration.tls.keyFile == "/k.pem")
        #expect(configuration.tls.verifyPeer)
        #expect(configuration.tls.verifyHostname)
    }

    @Test(arguments: ["heartbeat=x", "heartbeat=-1", "frame_max=1", "login_method=GSSAPI", "ssl_cert_reqs=maybe"])
    func configurationRefusesOptions(_ option: String) throws {
        let address = try #require(try AMQPURI.parse("amqp://h/?\(option)").first)
        #expect { try ConnectionConfiguration(uri: address) } throws: { ($0 as? AMQPError)?.code == .invalidURL }
    }
}
