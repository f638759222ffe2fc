import Celery
import Testing

@testable import CeleryCommandLine

/// The text of `report`.
@Suite struct ReportTests {
    private let system = SystemName.current

    @Test func theLayoutIsCelerys() {
        let text = BugReport(configuration: CeleryConfiguration(), application: "images").text
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.first == "" && lines.last == "")
        #expect(lines[1].hasPrefix("software -> swcelery:\(PackageVersion.text) swift:"))
        #expect(lines[1].contains(" librabbitmq:"))
        #expect(lines[2] == "platform -> system:\(system.system) arch:\(system.machine)")
        #expect(lines[3] == "            kernel version:\(system.release) imp:Swift")
        #expect(lines[4] == "loader   -> images")
        #expect(lines[5] == "settings -> transport:amqp results:rpc:///")
    }

    @Test func settingsAreShownAsByPythonAndSecretsAreStarred() {
        var configuration = CeleryConfiguration()
        configuration.brokerURL = "amqp://user:geheim@host//;amqp://other:geheim@host2//"
        configuration.taskAcksLate = true
        configuration.taskDefaultQueue = "images"
        configuration.taskTimeLimit = .seconds(90)
        configuration.taskDefaultRoutingKey = "secret-way"
        configuration.workerPrefetchMultiplier = 7
        let text = BugReport(configuration: configuration, application: "x").text
        #expect(
            text.contains(
                "broker_url: 'amqp://user:********@host:5672//;amqp://other:********@host2:5672//'"
            )
        )
        #expect(text.contains("\ntask_acks_late: True\n"))
        #expect(text.contains("\ntask_default_queue: 'images'\n"))
        #expect(text.contains("\ntask_time_limit: 90.0\n"))
        #expect(text.contains("\ntask_default_routing_key: '********'\n"))
        #expect(text.contains("\nworker_prefetch_multiplier: 7\n"))
        #expect(!text.contains("geheim") && !text.contains("secret-way"))
    }
}
