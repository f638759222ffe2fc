import AMQP
import Celery
import Testing

@testable import CeleryWorker

@Suite("Desired topology")
struct DesiredTopologyTests {
    private static let events = ExchangeDeclaration(name: "celeryev", type: "topic")
    private static let tasks = DesiredConsumer("celery", credit: 8)
    private static let control = DesiredConsumer(
        Queue(
            "worker.celery.pidbox",
            exchange: ExchangeDeclaration(name: "celery.pidbox", type: "fanout"),
            durable: false,
            exclusive: true,
            autoDelete: true
        ),
        role: .control,
        tagPrefix: "c",
        credit: 0,
        noAck: true,
        exclusive: true,
        arguments: ["x-priority": 9]
    )

    private func topology() -> DesiredTopology {
        var topology = DesiredTopology()
        topology.add(Self.tasks)
        topology.add(Self.control)
        topology.add(Self.events)
        topology.add(Queue("dead-letters"))
        return topology
    }

    @Test("a new connection gets everything: exchanges and queues first, then consumers in their order")
    func replay() {
        let applied = AppliedTopology(epoch: 3)
        #expect(applied.epoch == 3)
        #expect(
            applied.changes(to: topology()) == [
                .declareExchange(Self.events), .declareQueue("dead-letters"), .consume(Self.tasks),
                .consume(Self.control),
            ]
        )
        #expect(applied.changes(to: DesiredTopology()).isEmpty)
    }

    @Test("once everything is done nothing is to be done, on this connection")
    func idempotence() {
        let desired = topology()
        var applied = AppliedTopology(epoch: 1)
        for change in applied.changes(to: desired) { applied.apply(change) }
        #expect(applied.changes(to: desired).isEmpty)
        #expect(AppliedTopology(epoch: 2).changes(to: desired).count == 4)
    }

    @Test("what is added and removed at run time is all that changes")
    func runTime() {
        var desired = topology()
        var applied = AppliedTopology(epoch: 1)
        for change in applied.changes(to: desired) { applied.apply(change) }
        let added = DesiredConsumer("more", credit: 4)
        desired.add(added)
        let removed = desired.remove(Self.tasks.name)
        #expect(removed)
        let removedAgain = desired.remove(Self.tasks.name)
        #expect(!removedAgain)
        let changes = applied.changes(to: desired)
        #expect(changes == [.cancel(Self.tasks.name), .consume(added)])
        for change in changes { applied.apply(change) }
        #expect(applied.changes(to: desired).isEmpty)
        // A cancelled consumer is not subscribed again by a new connection.
        #expect(!AppliedTopology(epoch: 2).changes(to: desired).contains(.consume(Self.tasks)))
        #expect(desired.taskQueues.map(\.name) == ["more"])
    }

    @Test("another credit needs no new channel, any other difference does")
    func differences() {
        var desired = topology()
        var applied = AppliedTopology(epoch: 1)
        for change in applied.changes(to: desired) { applied.apply(change) }
        let isThere = desired.setCredit(2, of: Self.tasks.name)
        #expect(isThere)
        #expect(applied.changes(to: desired) == [.setCredit(2, of: Self.tasks.name)])
        applied.apply(.setCredit(2, of: Self.tasks.name))
        #expect(applied.changes(to: desired).isEmpty)

        let other = DesiredConsumer("celery", credit: 2, arguments: ["x-priority": 5])
        desired.add(other)
        #expect(applied.changes(to: desired) == [.cancel(other.name), .consume(other)])
        // The same queue in another role is another consumer.
        desired.add(DesiredConsumer("celery", role: .events, credit: 0, noAck: true))
        #expect(desired.consumers.count == 3)
        let isMissing = desired.setCredit(2, of: DesiredConsumer.Name(role: .events, queue: "other"))
        #expect(!isMissing)
    }

    @Test("a consumer has its queue's arguments unless it has its own")
    func arguments() {
        var queue = Queue("q")
        queue.consumerPriority = 3
        #expect(queue.consumerPriority == 3)
        #expect(DesiredConsumer(queue, credit: 1).arguments == ["x-priority": 3])
        #expect(DesiredConsumer(queue, credit: 1, arguments: [:]).arguments == [:])
    }
}
