import CeleryProtocol
import Testing

@testable import Celery

@Suite("The ledger of results")
struct ResultLedgerTests {
    private func message(_ id: String, _ state: TaskState = .success) -> ResultMessage {
        ResultMessage(taskID: id, state: state, result: .string(id))
    }

    @Test func unclaimedResultsAreBoundedByNumber() {
        var results = UnclaimedResults(maxCount: 3)
        for id in ["a", "b", "c"] { #expect(results.insert(message(id), bytes: 1) == 0) }
        #expect(results.insert(message("d"), bytes: 1) == 1)
        #expect(results.remove("a").isEmpty)
        #expect(results.remove("d").count == 1)
        #expect(results.count == 2)
        #expect(results.dropped == 1)
    }

    @Test func unclaimedResultsAreBoundedBySize() {
        var results = UnclaimedResults(maxCount: 100, maxBytes: 10)
        _ = results.insert(message("a"), bytes: 6)
        #expect(results.insert(message("b"), bytes: 6) == 1)
        #expect(results.remove("a").isEmpty)
        // One that is too large by itself goes too.
        #expect(results.insert(message("c"), bytes: 11) == 2)
        #expect(results.count == 0)
    }

    @Test func statesOfOneTaskStayTogether() {
        var results = UnclaimedResults(maxCount: 100)
        _ = results.insert(message("a", .started), bytes: 1)
        _ = results.insert(message("b"), bytes: 1)
        _ = results.insert(message("a"), bytes: 1)
        #expect(results.remove("a").map(\.state) == [.started, .success])
        #expect(results.count == 1)
    }

    @Test func claimedPlacesAreReused() {
        var results = UnclaimedResults(maxCount: 10)
        for number in 0..<10_000 {
            _ = results.insert(message("\(number)"), bytes: 1)
            #expect(results.remove("\(number)").count == 1)
        }
        #expect(results.count == 0)
        #expect(results.dropped == 0)
    }

    @Test func handlesOfOneTaskAreCounted() {
        var ledger = ResultLedger()
        _ = ledger.register(["a", "b"])
        _ = ledger.register(["b"])
        #expect(ledger.entryCount == 2)
        _ = ledger.unregister(["a", "b"])
        #expect(ledger.entryCount == 1)
        _ = ledger.unregister(["b"])
        _ = ledger.unregister(["b"])
        #expect(ledger.entryCount == 0)
    }

    @Test func theFirstFinalStateStands() {
        var ledger = ResultLedger()
        _ = ledger.register(["a"])
        _ = ledger.receive(message("a", .failure), bytes: 1)
        let actions = ledger.receive(message("a", .success), bytes: 1)
        #expect(ledger.latest("a")?.state == .failure)
        #expect(ledger.lateCount == 1)
        #expect(actions.count == 1)
    }

    @Test func theHistoryOfATaskIsBounded() {
        var ledger = ResultLedger()
        _ = ledger.register(["a"])
        for _ in 0..<1_000 { _ = ledger.receive(message("a", .custom("PROGRESS")), bytes: 1) }
        _ = ledger.receive(message("a"), bytes: 1)
        let (_, subscriber) = AsyncThrowingStream.makeStream(of: TaskUpdate.self)
        let actions = ledger.subscribe("a", 1, subscriber)
        #expect(actions.count == TaskUpdates.historySize + 1)
        #expect(ledger.latest("a")?.state == .success)
        #expect(ledger.subscriberCount == 0)
    }

    @Test func closedLedgerKeepsNothing() {
        var ledger = ResultLedger()
        _ = ledger.receive(message("a"), bytes: 1)
        #expect(ledger.unclaimedCount == 1)
        _ = ledger.close(CeleryError(.closed, "over"))
        _ = ledger.receive(message("b"), bytes: 1)
        #expect(ledger.unclaimedCount == 0)
    }
}
