import Celery
import CeleryWorker

/// The options and variables of a worker that concern probes and metrics.
struct HealthSettings: Sendable, Hashable {
    private let port: Int?
    private let address: String?
    private let file: String?

    /// Puts the settings together.
    ///
    /// - Throws: `CommandFailure` with the usage status for a value that cannot be used.
    init(options: HealthOptions, node: NodeName, variables: CommandEnvironment) throws {
        port = try (options.port ?? variables.value(.workerHealthPort, parsedBy: PortNumber.init(parsing:)))?.number
        address = options.address ?? variables[.workerHealthAddress]
        file = try Self.file(options.file ?? variables[.workerHealthFile], node)
    }

    /// The file with the parts of the node's name in it; nil where none is given.
    static func file(_ template: String?, _ node: NodeName) throws -> String? {
        guard let template, !template.isEmpty else { return nil }
        return try CommandFailure.usage { try NodeFilePath.expand(template, node: node) }
    }

    /// Puts what is set in the place of the configuration's settings.
    func apply(to celery: CeleryConfiguration) -> CeleryConfiguration {
        var celery = celery
        if let port { celery.workerHealthPort = port }
        if let address { celery.workerHealthAddress = address }
        if let file { celery.workerHealthFile = file }
        return celery
    }
}
