import Testing

@testable import CeleryWorker

@Suite("DeliveryTable")
struct DeliveryTableTests {
    private let first = ChannelEpoch(number: 1)
    private let second = ChannelEpoch(number: 2)

    private func expect(
        _ verdict: SettlementVerdict,
        _ expected: SettlementVerdict,
        location: SourceLocation = #_sourceLocation
    ) {
        #expect(verdict == expected, sourceLocation: location)
    }

    @Test("settles a delivery once, on the channel that brought it")
    func settlesOnce() {
        var table = DeliveryTable()
        table.open(first)
        let id = table.register(first, tag: 17)

        #expect(table.isLive(id))
        expect(table.settle(id), .settle(first, tag: 17))
        expect(table.settle(id), .alreadySettled)
        #expect(!table.isLive(id))
        #expect(table.count == 0)
    }

    @Test("does nothing for a delivery of a lost channel")
    func staleAfterClose() {
        var table = DeliveryTable()
        table.open(first)
        let id = table.register(first, tag: 1)
        table.close(first)
        table.open(second)

        #expect(!table.isLive(id))
        expect(table.settle(id), .stale)
        expect(table.settle(id), .alreadySettled)
    }

    @Test("never takes the name of an old delivery for a new one")
    func namesAreNotReused() {
        var table = DeliveryTable()
        table.open(first)
        let old = table.register(first, tag: 1)
        _ = table.settle(old)
        let new = table.register(first, tag: 2)

        expect(table.settle(old), .alreadySettled)
        expect(table.settle(new), .settle(first, tag: 2))
    }

    @Test("keeps equal tags of two channels apart")
    func equalTags() {
        var table = DeliveryTable()
        table.open(first)
        table.open(second)
        let one = table.register(first, tag: 5)
        let other = table.register(second, tag: 5)

        expect(table.settle(other), .settle(second, tag: 5))
        expect(table.settle(one), .settle(first, tag: 5))
    }

    @Test("reuses the space of settled deliveries")
    func reusesSpace() {
        var table = DeliveryTable()
        table.open(first)
        for round in 0..<1_000 {
            let ids = (0..<8).map { table.register(first, tag: UInt64(round * 8 + $0)) }
            #expect(table.count == 8)
            for id in ids { _ = table.settle(id) }
        }
        #expect(table.count == 0)
    }
}
