import Celery
import CeleryWorker

/// What a worker has to tell, as Prometheus reads it.
struct MetricsPage: Sendable {
    let hostname: String
    let health: WorkerHealth
    let levels: WorkerLevels
    let statistics: WorkerStatistics
    let tasks: [TaskMeasure]

    /// The page.
    var text: String {
        var page = PrometheusText()
        page.write(Metric.info, [(["hostname": hostname], 1)])
        page.write(Metric.ready, health.isReady ? 1 : 0)
        for (metric, value) in Metric.levels { page.write(metric, value(levels)) }
        writeQueues(to: &page)
        for (metric, value) in Metric.statistics { page.write(metric, value(statistics)) }
        writeTasks(to: &page)
        return page.text
    }

    private func writeQueues(to page: inout PrometheusText) {
        page.write(Metric.queueConsumed, health.queues.map { (["queue": $0.name], $0.isConsumed ? 1 : 0) })
        page.write(Metric.queueCredit, health.queues.map { (["queue": $0.name], $0.credit) })
        page.write(Metric.queueUnsettled, health.queues.map { (["queue": $0.name], $0.unsettled) })
    }

    private func writeTasks(to page: inout PrometheusText) {
        let outcomes = tasks.flatMap { task in
            TaskMeasure.Outcome.allCases.compactMap { outcome -> (KeyValuePairs<String, String>, Int)? in
                let count = task.count(of: outcome)
                return count > 0 ? (["task": task.name, "outcome": "\(outcome)"], count) : nil
            }
        }
        page.write(Metric.taskOutcomes, outcomes)
        page.write(Metric.taskRuntime, tasks.map { ($0.name, $0.runtime.snapshot) })
        page.write(Metric.taskLatency, tasks.map { ($0.name, $0.latency.snapshot) })
        page.write(Metric.taskWait, tasks.map { ($0.name, $0.wait.snapshot) })
    }
}

extension MetricsPage {
    /// What the worker tells at this moment.
    init(_ worker: Worker) {
        self.init(
            hostname: worker.hostname,
            health: worker.health,
            levels: worker.levels,
            statistics: worker.statistics,
            tasks: worker.taskMeasures
        )
    }
}
