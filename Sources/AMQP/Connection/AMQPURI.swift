/// The address of a broker, read as kombu reads it (`kombu.utils.url`).
///
/// `amqp://user:password@host:port/virtual-host?option=value`. User, password, host and virtual host are
/// percent-decoded. A missing virtual host, and a second slash alone, mean `/`; `amqp://host//v` means `/v`.
public struct AMQPURI: Sendable, Hashable {
    /// Host name or address.
    public var host: String
    /// Port; 5672, with TLS 5671.
    public var port: Int
    /// User name; `guest` where the URL has none.
    public var userName: String
    /// Password; `guest` where the URL has neither user nor password.
    public var password: String
    /// Virtual host; `/` where the URL has none.
    public var virtualHost: String
    /// Whether the connection is encrypted: `amqps`, or the option `ssl`.
    public var tls: Bool
    /// The options of the URL's query, percent-decoded; of a repeated one the last.
    public var query: [String: String]

    /// Makes an address.
    public init(
        host: String = "localhost",
        port: Int? = nil,
        userName: String = "guest",
        password: String = "guest",
        virtualHost: String = "/",
        tls: Bool = false,
        query: [String: String] = [:]
    ) {
        self.host = host
        self.port = port ?? (tls ? 5671 : 5672)
        self.userName = userName
        self.password = password
        self.virtualHost = virtualHost
        self.tls = tls
        self.query = query
    }

    /// Reads one or several addresses, which are separated by `;` as in Celery's `broker_url`.
    ///
    /// - Throws: `AMQPError` with code `invalidURL`; its message shows no part of the URL but the scheme.
    public static func parse(_ text: String) throws(AMQPError) -> [AMQPURI] {
        var addresses: [AMQPURI] = []
        for part in text.split(separator: ";", omittingEmptySubsequences: true) {
            addresses.append(try AMQPURI(parsing: part.drop { $0 == " " }))
        }
        guard !addresses.isEmpty else { throw AMQPError(.invalidURL, "the broker URL is empty") }
        return addresses
    }

    private init(parsing text: Substring) throws(AMQPError) {
        var rest = text
        var scheme = "amqp"
        if let end = rest.firstRange(of: "://") {
            scheme = rest[..<end.lowerBound].lowercased()
            rest = rest[end.upperBound...]
        }
        guard let secure = Self.schemes[scheme] else {
            // What stands before `://` need not be a scheme: `user:password@host/v?next=a://b`.
            let shown = scheme.utf8.allSatisfy(Self.isPartOfScheme) ? "scheme \(scheme)://" : "broker URL's scheme"
            throw AMQPError(.invalidURL, "the \(shown) is not one of AMQP's: amqp, amqps, pyamqp, librabbitmq")
        }
        if let fragment = rest.firstIndex(of: "#") { rest = rest[..<fragment] }
        let options = Self.splitOff(&rest, after: "?").map(Self.parseQuery) ?? [:]
        let path = Self.splitOff(&rest, after: "/")
        let user = try Self.parseUser(&rest)
        let (host, port) = try Self.parseHost(rest)
        let tls = secure || Self.isTrue(options["ssl"])
        let virtualHost = path.map { PercentCoding.decode($0) } ?? ""
        // librabbitmq and OpenSSL read C strings, and would take a text up to its NUL for the whole.
        guard !virtualHost.utf8.contains(0) else {
            throw AMQPError(.invalidURL, "the broker URL's virtual host has a NUL byte")
        }
        guard !options.values.contains(where: { $0.utf8.contains(0) }) else {
            throw AMQPError(.invalidURL, "an option of the broker URL has a NUL byte")
        }
        self.init(
            host: host.isEmpty ? "localhost" : host,
            port: port,
            userName: user?.name ?? "guest",
            password: user?.password ?? "guest",
            virtualHost: virtualHost.isEmpty ? "/" : virtualHost,
            tls: tls,
            query: options
        )
    }

    private static let schemes = [
        "amqp": false, "amqps": true, "pyamqp": false, "pyamqps": true, "librabbitmq": false, "librabbitmqs": true,
    ]

    /// Letters, digits, plus, minus and point (RFC 3986, section 3.1).
    private static func isPartOfScheme(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"),
            UInt8(ascii: "-"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    private static func splitOff(_ text: inout Substring, after separator: Character) -> Substring? {
        guard let index = text.firstIndex(of: separator) else { return nil }
        let tail = text[text.index(after: index)...]
        text = text[..<index]
        return tail
    }

    private static func parseQuery(_ text: Substring) -> [String: String] {
        var options: [String: String] = [:]
        for pair in text.split(separator: "&") {
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard halves.count == 2, !halves[1].isEmpty else { continue }
            let decoded = halves.map { PercentCoding.decode(String($0.map { $0 == "+" ? " " : $0 })) }
            options[decoded[0]] = decoded[1]
        }
        return options
    }

    private static func parseUser(_ rest: inout Substring) throws(AMQPError) -> (name: String, password: String)? {
        guard let at = rest.lastIndex(of: "@") else { return nil }
        let info = rest[..<at]
        rest = rest[rest.index(after: at)...]
        let halves = info.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let name = PercentCoding.decode(halves[0])
        let password = halves.count > 1 ? PercentCoding.decode(halves[1]) : ""
        guard !name.utf8.contains(0), !password.utf8.contains(0) else {
            throw AMQPError(.invalidURL, "the broker URL's user or password has a NUL byte")
        }
        return (name.isEmpty ? "guest" : name, password)
    }

    private static func parseHost(_ text: Substring) throws(AMQPError) -> (host: String, port: Int?) {
        var host = text
        var portText: Substring?
        if text.first == "[", let end = text.firstIndex(of: "]") {
            host = text[text.index(after: text.startIndex)..<end]
            let tail = text[text.index(after: end)...]
            guard tail.isEmpty || tail.first == ":" else {
                throw AMQPError(.invalidURL, "the broker URL has text after the address in brackets")
            }
            portText = tail.isEmpty ? nil : tail.dropFirst()
        } else if let colon = text.lastIndex(of: ":") {
            host = text[..<colon]
            portText = text[text.index(after: colon)...]
        }
        let name = PercentCoding.decode(host)
        guard !name.utf8.contains(0) else { throw AMQPError(.invalidURL, "the broker URL's host has a NUL byte") }
        guard let portText, !portText.isEmpty else { return (name, nil) }
        guard let port = Int(portText), (1...65535).contains(port) else {
            throw AMQPError(.invalidURL, "the broker URL's port is not a number from 1 to 65535")
        }
        return (name, port)
    }

    static func isTrue(_ option: String?) -> Bool {
        guard let option else { return false }
        return ["1", "true", "yes", "on"].contains(option.lowercased())
    }
}

extension AMQPURI: CustomStringConvertible, CustomDebugStringConvertible {
    /// The address with `**` in the password's place and without options, as kombu prints it.
    public var redacted: String {
        let encodedHost = PercentCoding.encode(host)
        let literalHost = host.contains(":") ? "[\(encodedHost.replacing("%3A", with: ":"))]" : encodedHost
        let scheme = tls ? "amqps" : "amqp"
        let path = virtualHost == "/" ? "/" : PercentCoding.encode(virtualHost)
        return "\(scheme)://\(PercentCoding.encode(userName)):**@\(literalHost):\(port)/\(path)"
    }

    /// The redacted address: a password is never printed by accident.
    public var description: String { redacted }

    /// The redacted address: a password is never printed by accident.
    public var debugDescription: String { redacted }
}

extension AMQPURI: CustomReflectable {
    /// Shows the redacted address only.
    public var customMirror: Mirror { Mirror(self, children: ["redacted": redacted]) }
}
