import AMQP
import Celery
import CeleryProtocol
import CeleryTestKit
import Testing

@testable import CeleryWorker

/// A worker that sends events, and a queue that gets them all.
struct EventHarness: Sendable {
    /// Gets all events.
    static let queue = "events"

    let base: WorkerHarness
    var broker: InMemoryBroker { base.broker }
    var events: EventDispatcher { base.worker.parts.events }

    /// A broker with the exchange of events and the queue.
    static func broker() -> InMemoryBroker {
        let broker = InMemoryBroker()
        broker.declareExchange(ExchangeDeclaration(name: "celeryev", type: "topic"))
        broker.declareQueue(QueueDeclaration(name: queue), boundTo: "celeryev", routingKey: "#")
        return broker
    }

    /// Runs a worker around the body; answers all messages with events.
    @discardableResult
    static func run(
        _ configuration: WorkerConfiguration = WorkerConfiguration(concurrency: 1, hostname: "w1@worker.example"),
        celery: CeleryConfiguration = Self.celery(),
        register: (inout TaskRegistry) -> Void,
        _ body: (EventHarness) async throws -> Void
    ) async throws -> [OutgoingMessage] {
        let broker = broker()
        try await WorkerHarness.run(configuration, celery: celery, broker: broker, register: register) {
            try await body(EventHarness(base: $0))
        }
        return broker.messages(in: queue)
    }

    /// Settings of a worker with `-E`.
    static func celery(_ change: (inout CeleryConfiguration) -> Void = { _ in }) -> CeleryConfiguration {
        var celery = CeleryConfiguration()
        celery.workerSendTaskEvents = true
        change(&celery)
        return celery
    }

    /// All events so far.
    func all() throws -> [EventMessage] { try Self.events(broker.messages(in: Self.queue)) }

    static func events(_ messages: [OutgoingMessage]) throws -> [EventMessage] {
        try messages.flatMap { try EventMessage.events($0.properties, body: $0.body) }
    }

    /// Waits until an event of this type has come.
    func event(
        _ type: String,
        of id: String? = nil,
        location: SourceLocation = #_sourceLocation
    ) async throws -> EventMessage {
        var found: EventMessage?
        try await eventually("\(type)", location: location) {
            found = try all().first { $0.type == type && (id == nil || $0.uuid == id) }
            return found != nil
        }
        return try #require(found, sourceLocation: location)
    }
}
