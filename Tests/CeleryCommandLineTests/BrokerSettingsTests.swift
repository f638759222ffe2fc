import Celery
import Testing

@testable import CeleryCommandLine

@Suite struct BrokerSettingsTests {
    private let base = {
        var configuration = CeleryConfiguration(broker: "amqp://code//")
        configuration.brokerReadURL = "amqp://code-read//"
        return configuration
    }()

    @Test func theOptionGoesBeforeEverything() throws {
        let variables = CommandEnvironment([
            "CELERY_BROKER_URL": "amqp://env//", "CELERY_BROKER_WRITE_URL": "amqp://w//",
        ])
        let configuration = try BrokerSettings.apply(option: "amqp://option//", variables: variables, to: base)
        #expect(configuration.brokerURL == "amqp://option//")
        #expect(configuration.brokerReadURL == nil)
        #expect(configuration.brokerWriteURL == nil)
    }

    @Test func theEnvironmentGoesBeforeTheCode() throws {
        let variables = CommandEnvironment([
            "CELERY_BROKER_URL": "amqp://env//", "CELERY_BROKER_WRITE_URL": "amqp://w//",
        ])
        let configuration = try BrokerSettings.apply(option: nil, variables: variables, to: base)
        #expect(configuration.brokerURL == "amqp://env//")
        #expect(configuration.brokerReadURL == "amqp://code-read//")
        #expect(configuration.brokerWriteURL == "amqp://w//")
    }

    @Test func passwordsAreHidden() throws {
        let configuration = CeleryConfiguration(broker: "amqp://me:sesame@a:5673/shop;amqps://you:s%40same@b//")
        #expect(try BrokerSettings.redacted(configuration) == "amqp://me:**@a:5673/shop;amqps://you:**@b:5671//")
    }

    @Test(arguments: ["redis://:sesame@h/0", "amqp://u:sesame@h:99999//", ";"])
    func aBadAddressIsAnErrorOfUsageThatShowsNoSecret(url: String) throws {
        let failure = try #require(throws: CommandFailure.self) {
            try BrokerSettings.apply(option: url, variables: CommandEnvironment([:]), to: base)
        }
        #expect(failure.status == .usage)
        #expect(!failure.message.contains("sesame"))
    }
}
