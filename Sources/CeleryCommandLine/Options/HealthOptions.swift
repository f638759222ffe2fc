import ArgumentParser

/// The options of the `worker` command that let others see how it is; Celery has none of them.
struct HealthOptions: ParsableArguments {
    @Option(
        name: .customLong("health-port"),
        help: ArgumentHelp(
            "Port on which HTTP answers /live, /ready, /startup and /metrics (for Prometheus); 0 for any free one. (default: none)",
            valueName: "port"
        ),
        transform: PortNumber.init(parsing:)
    )
    var port: PortNumber?

    @Option(
        name: .customLong("health-address"),
        help: ArgumentHelp("Address to listen on for that; 0.0.0.0 for all. (default: 127.0.0.1)", valueName: "address")
    )
    var address: String?

    @Option(
        name: .customLong("health-file"),
        help: ArgumentHelp(
            "File in which the worker says every two seconds how it is, for the command 'check'. %n, %h, %d and %p stand for parts of the worker's name. (default: none)",
            valueName: "path"
        )
    )
    var file: String?
}

/// A port of TCP.
struct PortNumber: Sendable, Hashable {
    let number: Int

    init(parsing text: String) throws {
        guard let number = Int(text), (0...65_535).contains(number) else {
            throw OptionError("must be a number from 0 to 65535, got '\(text)'")
        }
        self.number = number
    }
}
