public import Celery
public import Logging

extension CeleryClient {
    /// Makes a client of a broker in memory, for tests of what sends tasks.
    ///
    /// - Parameters:
    ///   - broker: the broker; a worker of the same one runs what the client sends.
    ///   - configuration: the settings; its URLs are not used.
    ///   - logger: where the client logs to.
    public convenience init(
        broker: InMemoryBroker,
        configuration: CeleryConfiguration = CeleryConfiguration(),
        logger: Logger
    ) {
        self.init(broker: broker as any Broker, configuration: configuration, logger: logger)
    }
}
