import CSystemShims
import FoundationEssentials

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// One request of HTTP/1.1 without TLS, for RabbitMQ's management API.
struct HTTPGet: Sendable, Hashable {
    /// How long all of it may take.
    private static let patience = Duration.seconds(30)
    private static let connectMilliseconds: Int32 = 5_000

    let host: String
    let port: Int
    let path: String
    let user: String
    let password: String

    /// The request as it goes out.
    var bytes: [UInt8] {
        let authority = host.contains(":") ? "[\(host)]" : host
        let credentials = Data("\(user):\(password)".utf8).base64EncodedString()
        return Array(
            """
            GET \(path) HTTP/1.1\r
            Host: \(authority):\(port)\r
            Authorization: Basic \(credentials)\r
            Accept: application/json\r
            User-Agent: swcelery\r
            Connection: close\r
            \r

            """.utf8
        )
    }

    /// Sends the request and reads the answer.
    ///
    /// - Throws: `CommandFailure` with the status `unavailable` where nobody answers as HTTP does.
    func perform() throws -> (status: Int, body: [UInt8]) {
        let socket = swc_tcp_connect(host, "\(port)", Self.connectMilliseconds)
        guard socket >= 0 else { throw failure(String(cString: strerror(-socket))) }
        defer { swc_socket_close(socket) }
        let request = bytes
        // A request fits into the buffer of a fresh connection.
        guard swc_stream_write(socket, request, UInt(request.count)) == request.count else {
            throw failure("the request could not be written")
        }
        var reader = HTTPResponseReader()
        do throws(HTTPResponseReader.Malformed) {
            try read(socket, &reader)
        } catch {
            throw failure(error.description)
        }
        return (reader.status, reader.body)
    }

    private func read(_ socket: Int32, _ reader: inout HTTPResponseReader) throws(HTTPResponseReader.Malformed) {
        let end = ContinuousClock.now + Self.patience
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while !reader.isComplete {
            let left = ContinuousClock.now.duration(to: end)
            let milliseconds = Int32(clamping: left.components.seconds * 1_000)
            guard milliseconds > 0, swc_wait_readable(socket, milliseconds) == 0 else {
                throw HTTPResponseReader.Malformed(description: "no answer within \(Self.patience)")
            }
            let count = swc_stream_read(socket, &buffer, UInt(buffer.count))
            if count > 0 {
                try reader.receive(buffer.prefix(count))
            } else if count == 0 {
                try reader.end()
            } else if -count != swc_errno_would_block() {
                throw HTTPResponseReader.Malformed(description: "error \(-count) of the system (errno)")
            }
        }
    }

    private func failure(_ reason: String) -> CommandFailure {
        CommandFailure(
            """
            The management API at http://\(host):\(port) cannot be used: \(reason)
            RabbitMQ has it where the management plugin is enabled: rabbitmq-plugins enable rabbitmq_management
            """,
            status: .unavailable
        )
    }
}
