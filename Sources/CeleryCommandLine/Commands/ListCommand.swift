import AMQP
import ArgumentParser
import Celery
import CeleryProtocol

/// `list`: what the broker knows.
struct ListCommand<Application: CeleryApplication>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "list",
            abstract: "Get info from the broker.",
            subcommands: [BindingsCommand<Application>.self, QueuesCommand<Application>.self]
        )
    }
}

/// `list bindings`: the bindings of the broker's queues, asked from RabbitMQ's management API.
struct BindingsCommand<Application: CeleryApplication>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "bindings",
            abstract: "Inspect queue bindings.",
            usage: "\(ExecutableName.current) list bindings [--manager <url>] [--json]",
            discussion: """
                The known task queues are declared first, as a worker would. The management API is asked at the broker's host, \
                port 15672, with the broker's user and password, by HTTP without TLS. --manager, or manager_hostname, \
                manager_port, manager_userid and manager_password in the query of the broker's URL, say otherwise.
                """
        )
    }

    @Option(help: ArgumentHelp("The management API: http://user:password@host:15672.", valueName: "url"))
    var manager: String?

    @Flag(help: "Print the API's answer as JSON.")
    var json = false

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func run() async throws {
        let access = try BrokerAccess(Application.self, global: global, command: "list")
        let address = try Self.address(manager, access.configuration)
        try await access.withConnection(.client) { connection in
            let declarer = TopologyDeclarer(connection: connection, logger: access.logger, memory: TopologyMemory())
            for queue in QueueTable(configuration: access.configuration).all where !queue.isBroadcast {
                try await declarer.declare(queue)
            }
        }
        let list = try Self.bindings(at: address)
        ConsoleStream.output.writeLine(
            json ? String(decoding: list.json.serialized(), as: UTF8.self) : list.table
        )
    }

    private static func address(_ manager: String?, _ configuration: CeleryConfiguration) throws -> ManagementAddress {
        let broker: AMQPURI
        do {
            broker = try AMQPURI.parse(configuration.brokerReadURL ?? configuration.brokerURL)[0]
        } catch {
            throw CommandFailure(error.message, status: .usage)
        }
        guard let manager else { return try ManagementAddress(broker: broker) }
        return try ManagementAddress(parsing: manager, broker: broker)
    }

    private static func bindings(at address: ManagementAddress) throws -> BindingList {
        let answer = try HTTPGet(
            host: address.host,
            port: address.port,
            path: "/api/bindings",
            user: address.user,
            password: address.password
        ).perform()
        switch answer.status {
        case 200: return try BindingList(parsing: answer.body)
        case 401:
            throw CommandFailure(
                "The management API refuses the user '\(address.user)': it needs the tag 'management'.",
                status: .unavailable
            )
        default:
            throw CommandFailure(
                "The management API has answered with the status \(answer.status).",
                status: .unavailable
            )
        }
    }
}
