public import Logging

/// Answers probes and scrapes about a worker over the network: the product CeleryHealth has one.
public protocol HealthEndpoint: Sendable {
    /// Starts to listen; returns when that works.
    ///
    /// - Parameters:
    ///   - worker: the worker that is asked about, before or while it runs.
    ///   - address: the address to listen on, such as `127.0.0.1`.
    ///   - port: the port; 0 for any free one.
    ///   - logger: where the endpoint logs to.
    /// - Throws: what prevents it from listening.
    static func start(for worker: Worker, address: String, port: Int, logger: Logger) async throws -> Self

    /// Stops listening and lets go of everything.
    func stop() async
}
