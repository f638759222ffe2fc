import CeleryTestKit
import Logging
import Testing

@testable import Celery

@Suite(
    "RabbitMQ conforms as the broker in memory does",
    .enabled(if: BrokerEnvironment.url != nil, BrokerEnvironment.needed),
    .timeLimit(.minutes(2))
)
struct BrokerConformanceTests {
    @Test(arguments: BrokerConformance.checks)
    func conforms(_ check: BrokerConformance.Check) async throws {
        let url = try #require(BrokerEnvironment.url)
        let configuration = CeleryConfiguration(broker: url)
        try await check.run(AMQPBroker(configuration: configuration, logger: Logger(label: "broker tests")))
    }
}
