import AMQPValues
import CeleryProtocol
import Synchronization

/// What is measured of the runs of one task: any thread may add to it, at the cost of some relaxed additions.
package final class TaskMeasure: Sendable {
    /// How a message of a task has ended.
    package enum Outcome: Int, CaseIterable, Sendable {
        case succeeded
        case failed
        case retried
        case ignored
        case rejected
        case expired
        case revoked
        case cancelled
    }

    /// The name that the tasks beyond the limit have together.
    package static let otherName = "(other)"

    /// The task's name.
    package let name: String
    /// How long bodies ran.
    package let runtime = DurationHistogram()
    /// From a message's publishing, or its `eta`, to its start; of messages that tell when they were published.
    package let latency = DurationHistogram()
    /// From a message's arrival in the worker to its start; of tasks without `eta`.
    package let wait = DurationHistogram()
    private let outcomes = Outcome.allCases.map { _ in WorkerCounters.Counter() }

    init(name: String) {
        self.name = name
    }

    /// How often a message has ended so.
    package func count(of outcome: Outcome) -> Int { outcomes[outcome.rawValue].count }

    func note(_ outcome: Outcome) { outcomes[outcome.rawValue].add() }

    /// The body begins.
    ///
    /// - Parameter now: the time in microseconds since 1970.
    func began(_ request: TaskRequest, now: Int64) {
        let eta = request.envelope.headers.eta
        if eta == nil { wait.add(microseconds: request.arrival.duration(to: .now).microseconds) }
        guard var due = Self.published(request.envelope) else { return }
        if let eta, let time = try? WireDate(parsing: eta) { due = max(due, WorkerClock.microseconds(time.date)) }
        // The clocks of two machines may differ.
        latency.add(microseconds: max(0, now &- due))
    }

    /// The body has ended.
    func ended(after runtime: Duration) { self.runtime.add(microseconds: runtime.microseconds) }

    /// When the message was published, in microseconds since 1970.
    ///
    /// RabbitMQ writes the header where its interceptor `set_header_timestamp` is on; the property has only seconds.
    private static func published(_ envelope: TaskEnvelope) -> Int64? {
        if let milliseconds = envelope.headers.custom["timestamp_in_ms"]?.intValue, milliseconds > 0 {
            return Int64(milliseconds).multipliedReportingOverflow(by: 1_000).partialValue
        }
        guard let seconds = envelope.properties.timestamp, seconds > 0, seconds < 1 << 40 else { return nil }
        return Int64(seconds) * 1_000_000
    }
}

extension TaskRequest {
    /// Counts how the message has ended, where somebody measures that.
    func note(_ outcome: TaskMeasure.Outcome) { task.measure.load()?.note(outcome) }
}
