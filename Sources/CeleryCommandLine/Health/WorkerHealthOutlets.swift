import Celery
import CeleryWorker
import Logging

/// What lets others see how a worker is: a port, and a file.
struct WorkerHealthOutlets: Sendable {
    let endpoint: (any HealthEndpoint)?
    let file: HealthFile?

    /// Opens what the settings ask for.
    ///
    /// - Throws: `CommandFailure` where the port is taken, the file cannot be written, or the executable has no endpoint.
    init(
        _ type: (any HealthEndpoint.Type)?,
        _ celery: CeleryConfiguration,
        _ worker: Worker,
        _ logger: Logger
    ) async throws {
        let file = try celery.workerHealthFile.map { try HealthFile(creating: $0, for: worker) }
        do {
            endpoint = try await Self.listen(type, celery, worker, logger)
        } catch {
            file?.remove()
            throw error
        }
        self.file = file
        file?.start(worker, logger)
    }

    /// Closes both.
    func close() async {
        await file?.release()
        await endpoint?.stop()
    }

    private static func listen(
        _ type: (any HealthEndpoint.Type)?,
        _ celery: CeleryConfiguration,
        _ worker: Worker,
        _ logger: Logger
    ) async throws -> (any HealthEndpoint)? {
        guard let port = celery.workerHealthPort else { return nil }
        guard let type else {
            throw CommandFailure(
                """
                This executable has nothing that serves --health-port (worker_health_port).
                Link the product CeleryHealth, and let the application's `healthEndpoint` be `HealthServer.self`.
                """,
                status: .usage
            )
        }
        let address = celery.workerHealthAddress
        do {
            return try await type.start(for: worker, address: address, port: port, logger: logger)
        } catch {
            throw CommandFailure("Cannot listen on \(address):\(port) for --health-port: \(error)")
        }
    }
}
