import Celery
import Testing

@testable import CeleryHealth
@testable import CeleryWorker

@Suite struct MetricsPageTests {
    private func page(
        statistics: WorkerStatistics = WorkerStatistics(),
        phase: WorkerHealth.Phase = .running
    ) -> MetricsPage {
        MetricsPage(
            hostname: "w\"1\"\\\n@host",
            health: WorkerHealth(
                phase: phase,
                isConnected: true,
                queues: [ConsumedQueue(name: "celery", isConsumed: true, credit: 8, unsettled: 3)]
            ),
            levels: WorkerLevels(
                slots: 4,
                busySlots: 2,
                heldForTime: 11,
                heldForRate: 12,
                handovers: 13,
                unconfirmedResults: 14,
                unconfirmedTasks: 15
            ),
            statistics: statistics,
            tasks: []
        )
    }

    @Test func thePageIsWellFormed() throws {
        let page = try PrometheusPage(parsing: page().text)
        #expect(page.value("swcelery_worker_info", ["hostname": "w\"1\"\\\n@host"]) == 1)
        #expect(page.value("swcelery_worker_ready") == 1)
        #expect(page.value("swcelery_worker_slots") == 4)
        #expect(page.value("swcelery_worker_busy_slots") == 2)
        #expect(page.value("swcelery_worker_held_eta") == 11)
        #expect(page.value("swcelery_worker_held_rate_limited") == 12)
        #expect(page.value("swcelery_worker_handovers") == 13)
        #expect(page.value("swcelery_worker_unconfirmed_results") == 14)
        #expect(page.value("swcelery_worker_unconfirmed_tasks") == 15)
        #expect(page.value("swcelery_queue_consumed", ["queue": "celery"]) == 1)
        #expect(page.value("swcelery_queue_prefetch", ["queue": "celery"]) == 8)
        #expect(page.value("swcelery_queue_unsettled", ["queue": "celery"]) == 3)
        #expect(page.types["swcelery_worker_slots"] == "gauge")
        #expect(page.types["swcelery_worker_received_total"] == "counter")
        #expect(page.helps.values.allSatisfy { $0.hasSuffix(".") || $0.hasSuffix("1.") })
    }

    @Test func aWorkerThatEndsIsNotReady() throws {
        #expect(try PrometheusPage(parsing: page(phase: .stopping).text).value("swcelery_worker_ready") == 0)
    }

    /// Each property of the statistics is on the page: a new one has to be added to the table.
    @Test func everythingOfTheStatisticsIsThere() throws {
        let properties = Mirror(reflecting: WorkerStatistics()).children.compactMap(\.label)
        #expect(Metric.statistics.count == properties.count)
        #expect(Set(Metric.statistics.map { $0.0.name }).count == properties.count)
        var statistics = WorkerStatistics()
        let numbers: [WritableKeyPath<WorkerStatistics, Int>] = [
            \.received, \.started, \.succeeded, \.failed, \.retried, \.staleSettlements, \.lostResults, \.reconnects,
            \.publishReconnects, \.childDeaths, \.rejected, \.expired, \.revoked, \.commands,
            \.droppedCommands,
        ]
        for (index, number) in numbers.enumerated() { statistics[keyPath: number] = 100 + index }
        statistics.isPublishingBlocked = true
        let page = try PrometheusPage(parsing: page(statistics: statistics).text)
        #expect(page.value("swcelery_worker_received_total") == 100)
        #expect(page.value("swcelery_worker_stale_settlements_total") == 105)
        #expect(page.value("swcelery_worker_lost_results_total") == 106)
        #expect(page.value("swcelery_worker_reconnects_total") == 107)
        #expect(page.value("swcelery_worker_child_deaths_total") == 109)
        #expect(page.value("swcelery_worker_commands_total") == 113)
        #expect(page.value("swcelery_worker_dropped_commands_total") == 114)
        #expect(page.value("swcelery_worker_publishing_blocked") == 1)
        let values = Set(Metric.statistics.map { page.value($0.0.name) ?? -1 })
        #expect(values.isSuperset(of: (100..<100 + numbers.count).map(Double.init)))
    }

    @Test func readingIsStrict() {
        let head = "# HELP a_total x\n# TYPE a_total counter\n"
        for bad in ["a_total 1", "a_total x\n", "b_total 1\n", "a_total 1\na_total 2\n", "a_total{x=\"1} 1\n"] {
            #expect(throws: (any Error).self) { try PrometheusPage(parsing: head + bad) }
        }
    }

    // MARK: Answers

    @Test func whatIsMissingIsSaid() {
        func health(_ phase: WorkerHealth.Phase, _ isConnected: Bool, _ consumed: [Bool]) -> WorkerHealth {
            WorkerHealth(
                phase: phase,
                isConnected: isConnected,
                queues: consumed.enumerated().map { index, isConsumed in
                    ConsumedQueue(name: "q\(index)", isConsumed: isConsumed, credit: 4, unsettled: 0)
                }
            )
        }
        #expect(Response.ready(health(.running, true, [true])).status == 200)
        #expect(
            Response.ready(health(.running, true, [true, false])).body == "not ready: queue 'q1' is not consumed\n"
        )
        #expect(
            Response.ready(health(.running, true, [false, false])).body
                == "not ready: 2 queues are not consumed, among them 'q0'\n"
        )
        #expect(Response.ready(health(.running, false, [true])).body == "not ready: not connected to the broker\n")
        #expect(Response.ready(health(.stopping, true, [true])).body == "not ready: shutting down\n")
        #expect(Response.ready(health(.ended, false, [])).status == 503)
        #expect(Response.startup(health(.starting, false, [false])).status == 503)
        #expect(Response.startup(health(.running, false, [false])).status == 200)
        #expect(Response.startup(health(.stopping, true, [true])).status == 200)
    }
}
