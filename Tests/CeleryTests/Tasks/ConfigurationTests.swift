import AMQP
import Logging
import Testing

@testable import Celery

@Suite("Configuration")
struct ConfigurationTests {
    @Test func environment() {
        let configuration = CeleryConfiguration(environment: [
            "CELERY_BROKER_URL": "amqp://a//", "CELERY_BROKER_READ_URL": "amqp://b//", "CELERY_BROKER_WRITE_URL": "",
        ])
        #expect(configuration.brokerURL == "amqp://a//")
        #expect(configuration.brokerReadURL == "amqp://b//")
        #expect(configuration.brokerWriteURL == nil)
        #expect(CeleryConfiguration(environment: [:]).brokerURL == "amqp://guest:guest@localhost:5672//")
        #expect(CeleryConfiguration(broker: "amqp://c//").brokerURL == "amqp://c//")
    }

    @Test func passwordsAreNeverShown() {
        var configuration = CeleryConfiguration(broker: "amqp://user:s3cret@host/v;amqps://other:s3cret@host2//")
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in ["\(configuration)", String(reflecting: configuration), dumped, configuration.redactedBrokerURL] {
            #expect(!text.contains("s3cret"))
        }
        #expect(configuration.redactedBrokerURL.hasPrefix("amqp://user:**@host:5672/v;amqps://other:**@host2:5671/"))
        configuration.brokerURL = "nonsense://s3cret"
        #expect(configuration.redactedBrokerURL == "(invalid)")
    }

    @Test func unusableURLsAreToldAtOnce() {
        for url in ["", "redis://host", "amqp://host?heartbeat=often", "amqp://host:99999"] {
            let error = #expect(throws: CeleryError.self) {
                try CeleryClient(configuration: CeleryConfiguration(broker: url), logger: testLogger())
            }
            #expect(error?.code == .invalidConfiguration)
        }
    }

    @Test func unusableSettingsAreToldAtOnce() {
        let changes: [(inout CeleryConfiguration) -> Void] = [
            { $0.acceptContent = ["pickle"] }, { $0.acceptContent = ["no-such-format"] },
            { $0.resultAcceptContent = ["yaml"] }, { $0.taskDefaultQueue = "" }, { $0.taskQueues = [""] },
            { $0.publishWindow = 0 }, { $0.workerConcurrency = 0 }, { $0.workerPrefetchMultiplier = -1 },
            { $0.workerETATaskLimit = 0 },
        ]
        for change in changes {
            var configuration = CeleryConfiguration()
            change(&configuration)
            let error = #expect(throws: CeleryError.self) { try configuration.validate() }
            #expect(error?.code == .invalidConfiguration)
        }
        #expect(throws: Never.self) { try CeleryConfiguration().validate() }
    }

    @Test func addressesTakeTurns() throws {
        let addresses = try BrokerAddresses("amqp://a;amqp://b;amqp://c", setting: "broker_url", strategy: .roundRobin)
        func hosts() -> [String] { addresses.turn().map(\.uri.host) }
        #expect(hosts() == ["a", "b", "c"])
        #expect(hosts() == ["b", "c", "a"])
        addresses.worked(0)
        #expect(hosts() == ["a", "b", "c"])
        let shuffled = try BrokerAddresses("amqp://a;amqp://b", setting: "broker_url", strategy: .shuffle)
        #expect(Set(shuffled.turn().map(\.uri.host)) == ["a", "b"])
    }

    @Test func publishingPolicy() {
        let policy = RetryPolicy()
        #expect((0..<4).map { policy.delay(beforeRetry: $0) } == [.zero, .milliseconds(200), .milliseconds(400), nil])
        let endless = RetryPolicy(maxRetries: nil)
        #expect(endless.delay(beforeRetry: .max) == .seconds(1))
        #expect(RetryPolicy.results.delay(beforeRetry: 19) == .seconds(1))
        #expect(RetryPolicy.results.delay(beforeRetry: 20) == nil)
        #expect(RetryPolicy(maxRetries: 1, intervalStart: .seconds(-5)).delay(beforeRetry: 0) == .zero)
    }

    @Test func errorsShowNoPayload() {
        struct Secretive: Error { let password = "s3cret" }
        let error = CeleryError(.encoding, "cannot be encoded", underlying: Secretive())
        #expect(error.description == "encoding: cannot be encoded (Secretive)")
        let broker = CeleryError(AMQPError(.unroutable, "NO_ROUTE", replyCode: 312), "task 't' cannot be published")
        #expect(broker.code == .unroutable)
        #expect(broker.description.contains("NO_ROUTE"))
    }
}
