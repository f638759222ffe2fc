import AMQP
import Celery
import FoundationEssentials

/// Where RabbitMQ's management API is, and who asks.
///
/// Source of the rules: `kombu.utils.amq_manager`: the broker's host, user and password, and port 15672, unless
/// `manager_hostname`, `manager_port`, `manager_userid` and `manager_password` say otherwise, here in the query of the
/// broker's URL.
struct ManagementAddress: Sendable, Hashable {
    private static let standardPort = 15672

    var host: String
    var port: Int
    var user: String
    var password: String

    /// The address that goes with a broker's.
    ///
    /// - Throws: `CommandFailure` for a port that is none, and where the broker's password would travel in plain text
    ///   although the broker itself is reached by TLS.
    init(broker: AMQPURI) throws {
        let query = broker.query
        host = query["manager_hostname"] ?? broker.host
        user = query["manager_userid"] ?? broker.userName
        password = query["manager_password"] ?? broker.password
        port = Self.standardPort
        if let text = query["manager_port"] {
            guard let number = Int(text), (1...65535).contains(number) else {
                throw CommandFailure("manager_port is a number from 1 to 65535.", status: .usage)
            }
            port = number
        }
        guard !broker.tls || query["manager_hostname"] != nil || Self.isLoopback(host) else {
            throw CommandFailure(
                """
                The broker is reached by TLS, its management API would be by plain HTTP, with the password. TLS is not \
                available here. Give the address of one that may be asked in plain text: --manager http://host:15672
                """,
                status: .usage
            )
        }
    }

    /// Reads the value of `--manager`; what it leaves out comes from the broker's address.
    ///
    /// - Throws: `CommandFailure` for what is no address, and for `https`.
    init(parsing text: String, broker: AMQPURI) throws {
        guard let url = URL(string: text), let scheme = url.scheme?.lowercased(), ["http", "https"].contains(scheme),
            let host = url.host(percentEncoded: false), !host.isEmpty
        else { throw CommandFailure("--manager is an address such as http://host:15672", status: .usage) }
        guard scheme == "http" else {
            throw CommandFailure(
                "TLS is not available for the management API: use http://, over the loopback or a tunnel.",
                status: .usage
            )
        }
        self.host = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        port = url.port ?? Self.standardPort
        user = url.user(percentEncoded: false) ?? broker.userName
        password = url.password(percentEncoded: false) ?? broker.password
    }

    private static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host == "::1" || host.hasPrefix("127.")
    }
}
