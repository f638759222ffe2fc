import AMQP
import AMQPValues
import Celery
import CeleryProtocol
import FoundationEssentials
import Testing

@testable import CeleryWorker

@Suite("Chords: the ledger of a collector queue")
struct ChordLedgerTests {
    @Test("a chord ends when all members are there, in their order, and is let go of when all is confirmed")
    func completes() throws {
        var queue = LedgerQueue()
        queue.announce("a", "b", "c")
        queue.succeed("c", 3)
        queue.succeed("a", 1)
        #expect(queue.endings.isEmpty)
        queue.succeed("b", 2)

        let ending = try #require(queue.endings.first)
        #expect(ending.outcome == .body([1, 2, 3]))
        #expect(ending.parentID == "b")
        #expect(queue.forwards == ["c": ["r-c"], "a": ["r-a"], "b": ["r-b"]])
        #expect(queue.acked.isEmpty, "nothing is acknowledged before its consequences are confirmed")

        queue.publishedAll()
        #expect(queue.acked.isEmpty, "results are still on their way to their callers")
        queue.forwardedAll()
        #expect(queue.acked == [1, 2, 3, 4], "the manifest first")
        #expect(queue.ledger.isEmpty)
        #expect(queue.ledger.bytes == 0)
    }

    @Test("a result that comes again changes nothing")
    func duplicates() {
        var queue = LedgerQueue()
        queue.announce("a", "b")
        queue.succeed("a", 1)
        queue.succeed("a", 99)
        #expect(queue.acked == [3])
        #expect(queue.reports.contains(.repeated(id: "a")))
        queue.fail("a")
        #expect(queue.acked == [3, 4])
        queue.succeed("b", 2)
        #expect(queue.endings.map(\.outcome) == [.body([1, 2])])
        #expect(queue.forwards["a"] == ["r-a"], "its caller hears of it once")
    }

    @Test("states on the way are passed on, and not kept")
    func interim() {
        var queue = LedgerQueue()
        queue.announce("a")
        queue.part("a", .interim)
        #expect(queue.relays == ["a": ["r-a"]])
        #expect(queue.ledger.bytes == queue.size)
        queue.succeed("a", 1)
        queue.part("a", .interim)
        #expect(queue.acked == [4], "after the final state nobody is told of another one")
    }

    @Test("a member without a caller is kept, and passed on to nobody")
    func nobodyWaits() {
        var queue = LedgerQueue()
        queue.announce(manifest: ChordManifest(groupID: "g", members: [.init(id: "a")], body: LedgerQueue.body("g")))
        queue.succeed("a", 1)
        queue.publishedAll()
        #expect(queue.forwards.isEmpty)
        #expect(queue.acked == [1, 2])
    }

    @Test("the first failed member in the order gives its name to the ChordError, all are in its traceback")
    func fails() throws {
        var queue = LedgerQueue()
        queue.announce("a", "b", "c")
        queue.part("c", .failure(ExceptionInfo(type: "KeyError", module: "builtins", arguments: ["k"])))
        queue.part("b", .failure(ExceptionInfo(type: "ValueError", module: "builtins", arguments: ["bad", 7])))
        #expect(queue.endings.isEmpty, "not before all are over")
        queue.succeed("a", 1)
        guard case .failure(let failure)? = queue.endings.first?.outcome else {
            Issue.record("it has to fail")
            return
        }
        #expect(failure.message == "Dependency b raised ValueError('bad', 7)")
        #expect(failure.cause?.type == "ValueError")
        let traceback = try #require(failure.traceback)
        #expect(traceback == "Dependency b raised ValueError('bad', 7)\nDependency c raised KeyError('k')\n")
        queue.finishAll()
        #expect(queue.acked == [1, 2, 3, 4])
    }

    @Test(
        "policies leave failed members out, or put null in their place",
        arguments: [(.ignore, [nil, 2]), (.continue, [.null, 2])] as [(GroupFailurePolicy, [JSONValue?])]
    )
    func policies(_ policy: GroupFailurePolicy, _ results: [JSONValue?]) {
        var queue = LedgerQueue()
        queue.announce("a", "b", policy: policy)
        queue.fail("a")
        queue.succeed("b", 2)
        #expect(queue.endings.map(\.outcome) == [.body(results)])
    }

    @Test("the traceback of a large chord has a bound")
    func largeTraceback() throws {
        var queue = LedgerQueue()
        let ids = (0..<5_000).map { "member-\($0)" }
        queue.announce(ids)
        for id in ids { queue.fail(id) }
        guard case .failure(let failure)? = queue.endings.first?.outcome else {
            Issue.record("it has to fail")
            return
        }
        let traceback = try #require(failure.traceback)
        #expect(traceback.utf8.count < 34 << 10)
        #expect(traceback.hasSuffix(" more\n"))
    }

    @Test("the time for a chord does not grow with the square of its members")
    func manyMembers() {
        var queue = LedgerQueue()
        let ids = (0..<10_000).map { "member-\($0)" }
        queue.announce(ids)
        for (number, id) in ids.enumerated().reversed() { queue.succeed(id, .int(number)) }
        #expect(queue.endings.map(\.outcome) == [.body(ids.indices.map { .int($0) })])
        queue.finishAll()
        #expect(queue.acked.count == ids.count + 1)
        #expect(queue.ledger.isEmpty && queue.ledger.bytes == 0)
    }

    @Test("results of an unknown chord wait for its manifest for a while")
    func orphans() {
        var queue = LedgerQueue()
        queue.succeed("a", 1)
        #expect(queue.acked.isEmpty)
        queue.announce("a", "b")
        queue.succeed("b", 2)
        #expect(queue.endings.map(\.outcome) == [.body([1, 2])])
        queue.finishAll()
        #expect(queue.releases.map(\.needsBarrier) == [true], "a result came before its manifest")

        queue.succeed("x", 1)
        queue.tick(after: 59)
        #expect(!queue.acked.contains(4))
        queue.tick(after: 2)
        #expect(queue.acked.contains(4))
        #expect(queue.reports.contains(.unknown(id: "x")))
        #expect(queue.ledger.isEmpty && queue.ledger.bytes == 0)
    }

    @Test("no more than so many results of unknown chords are kept")
    func orphanBound() {
        var limits = ChordLedger.Limits()
        limits.orphans = 3
        var queue = LedgerQueue(limits: limits)
        for id in ["a", "b", "c", "d", "e"] { queue.succeed(id, 1) }
        #expect(queue.acked == [1, 2], "the oldest go")
    }

    @Test("a second copy of the manifest belongs to the first, and ends with it")
    func manifestTwice() {
        var queue = LedgerQueue()
        queue.announce("a", messageID: "m")
        queue.announce("a", messageID: "m")
        queue.succeed("a", 1)
        #expect(queue.endings.count == 1)
        queue.finishAll()
        #expect(queue.acked == [1, 2, 3])
        queue.announce("a", messageID: "m")
        #expect(queue.acked == [1, 2, 3, 4], "the copy of an ended chord goes at once")
        #expect(queue.ledger.isEmpty)
        // Sent again on purpose, it is a chord again.
        queue.announce("a", messageID: "n")
        queue.succeed("a", 5)
        #expect(queue.endings.last?.outcome == .body([5]))
    }

    @Test("a chord that is sent again under another group, with the same body and members, is the same")
    func resent() {
        var queue = LedgerQueue()
        let members = [ChordManifest.Member(id: "a")]
        let body = LedgerQueue.body("one")
        queue.announce(manifest: ChordManifest(groupID: "g1", members: members, body: body))
        queue.announce(manifest: ChordManifest(groupID: "g2", members: members, body: body))
        queue.succeed("a", 1)
        #expect(queue.endings.count == 1)
        queue.finishAll()
        #expect(queue.ledger.isEmpty)
    }

    @Test("a result that counts for two chords is acknowledged with the second one")
    func shared() {
        var queue = LedgerQueue()
        queue.announce(["a"], group: "g")
        queue.announce(["a", "b"], group: "h")
        queue.succeed("a", 1)
        queue.finishAll()
        #expect(queue.acked == [1])
        queue.succeed("b", 2)
        queue.finishAll()
        #expect(queue.acked == [1, 2, 3, 4])
        #expect(queue.endings.map(\.outcome) == [.body([1]), .body([1, 2])])
    }

    @Test("past the deadline a mark is published, and what is missing when it comes is late")
    func deadline() {
        var queue = LedgerQueue()
        queue.announce("a", "b", "c", "d", "e", deadline: 100)
        queue.succeed("b", 2)
        queue.tick(after: 99)
        #expect(queue.marks.isEmpty)
        queue.tick(after: 2)
        queue.tick(after: 1)
        #expect(queue.marks.count == 1, "one is enough")
        #expect(queue.endings.isEmpty, "the clock alone decides nothing")
        queue.deliverMark(0)
        guard case .failure(let failure)? = queue.endings.first?.outcome else {
            Issue.record("it has to fail")
            return
        }
        #expect(failure.message == "The chord's deadline has passed without a result of a, c, d and 1 more")
        #expect(failure.traceback?.contains("Dependency e has no result\n") == true)
        queue.succeed("a", 1)
        #expect(queue.relays["a"] == ["r-a"], "its caller gets the late result all the same")
        queue.finishAll()
        #expect(queue.acked == [1, 2, 3])
        #expect(queue.ledger.isEmpty)
    }

    @Test("results that come after their chord has failed and is let go of go to their callers")
    func lateCallers() {
        var limits = ChordLedger.Limits()
        limits.lateCallers = 2
        limits.members = 3
        var queue = LedgerQueue(limits: limits)
        queue.announce("a", "b", "c", deadline: 10)
        queue.succeed("b", 2)
        queue.tick(after: 11)
        queue.deliverMark(0)
        queue.finishAll()
        #expect(queue.ledger.isEmpty)
        queue.part("c", .interim)
        queue.succeed("c", 3)
        #expect(queue.relays == ["c": ["r-c", "r-c"]])
        queue.succeed("c", 3)
        #expect(queue.relays["c"]?.count == 2, "its caller hears of it once")
        queue.ledger.reset()
        queue.succeed("a", 1)
        #expect(queue.relays["a"] == ["r-a"])

        queue.announce(["p", "q", "r", "s"], group: "large")
        queue.succeed("s", 1)
        #expect(queue.relays["s"] == nil)
        queue.finishAll()
        queue.tick(after: 61)
        #expect(queue.relays["s"] == ["r-s"], "it came while its chord was failing")
        queue.succeed("p", 1)
        queue.succeed("r", 1)
        #expect(queue.relays["p"] == nil, "no more than so many are remembered")
        #expect(queue.relays["r"] == ["r-r"])
    }

    @Test("a mark that comes behind the last result, or for another deadline, changes nothing")
    func lateMark() {
        var queue = LedgerQueue()
        queue.announce("a", deadline: 10)
        queue.tick(after: 11)
        queue.succeed("a", 1)
        queue.deliverMark(0)
        #expect(queue.endings.map(\.outcome) == [.body([1])])
        #expect(queue.acked == [3])
        queue.finishAll()
        queue.announce("a", deadline: 1_000)
        queue.deliverMark(0)
        #expect(queue.endings.count == 1)
        #expect(queue.acked.contains(5))
    }

    @Test("a mark that could not be published is tried again")
    func markAgain() {
        var queue = LedgerQueue()
        queue.announce("a", deadline: 10)
        queue.tick(after: 11)
        queue.ledger.markFailed(1)
        queue.tick(after: 1)
        #expect(queue.marks.count == 2)
    }

    @Test("a chord with too many members fails, and its manifest does not come again")
    func tooMany() {
        var limits = ChordLedger.Limits()
        limits.members = 2
        var queue = LedgerQueue(limits: limits)
        queue.announce("a", "b", "c")
        guard case .failure(let failure)? = queue.endings.first?.outcome else {
            Issue.record("it has to fail")
            return
        }
        #expect(failure.message == "the chord has 3 members, more than chord_max_members (2)")
        queue.finishAll()
        #expect(queue.rejected == [1])
        #expect(queue.ledger.isEmpty && queue.ledger.bytes == 0)
    }

    @Test("beyond the bound of bytes the largest chord fails, and the others go on")
    func tooLarge() {
        var limits = ChordLedger.Limits()
        limits.bytes = 10 * LedgerQueue().size
        var queue = LedgerQueue(limits: limits)
        queue.announce(["a", "b"], group: "small")
        queue.announce((0..<20).map { "m\($0)" }, group: "large")
        for number in 0..<8 { queue.succeed("m\(number)", .int(number)) }
        #expect(queue.endings.isEmpty)
        queue.succeed("m8", 8)
        #expect(queue.endings.map(\.manifest.groupID) == ["large"])
        guard case .failure(let failure)? = queue.endings.first?.outcome else {
            Issue.record("it has to fail")
            return
        }
        #expect(failure.message.contains("chord_max_bytes"))
        queue.succeed("a", 1)
        queue.succeed("b", 2)
        #expect(queue.endings.last?.outcome == .body([1, 2]))
        queue.finishAll()
        #expect(queue.ledger.isEmpty && queue.ledger.bytes == 0)
    }

    @Test("what waits to be published makes no other chord fail for its size")
    func waitingIsNotTooLarge() {
        var limits = ChordLedger.Limits()
        limits.bytes = 10 * LedgerQueue().size
        var queue = LedgerQueue(limits: limits)
        let ids = (0..<9).map { "m\($0)" }
        queue.announce(ids, group: "complete")
        for id in ids { queue.succeed(id, 1) }
        #expect(queue.ledger.bytes == limits.bytes)
        queue.announce(["a", "b"], group: "small")
        queue.succeed("a", 1)
        queue.succeed("unknown", 1)
        #expect(queue.acked.isEmpty && queue.endings.count == 1)
        #expect(queue.ledger.bytes > limits.bytes, "what is in memory counts all the same")
        queue.succeed("b", 2)
        #expect(queue.endings.last?.outcome == .body([1, 2]))
        queue.finishAll()
        queue.tick(after: 61)
        #expect(queue.ledger.isEmpty && queue.ledger.bytes == 0)
    }

    @Test("chords are counted by how far they are")
    func counts() {
        var queue = LedgerQueue()
        queue.announce(["a"], group: "g")
        queue.announce(["b"], group: "h")
        queue.announce(["c"], group: "i")
        #expect(queue.ledger.endingCount == 0 && queue.ledger.endedCount == 0)
        queue.succeed("a", 1)
        queue.succeed("b", 1)
        #expect(queue.ledger.endingCount == 2 && queue.ledger.endedCount == 0)
        queue.apply(queue.ledger.fail(1, ChordEnding.Failure(message: "too large")))
        #expect(queue.ledger.endingCount == 2, "one that fails in the end counts once")
        queue.publishedAll()
        #expect(queue.ledger.endingCount == 0 && queue.ledger.endedCount == 2)
        queue.forwardedAll()
        #expect(queue.ledger.endedCount == 0 && queue.ledger.count == 1)
        queue.succeed("c", 1)
        queue.ledger.reset()
        #expect(queue.ledger.endingCount == 0 && queue.ledger.endedCount == 0)
    }

    @Test("a body that cannot be sent makes the chord fail; where nobody can be told, the manifest is refused")
    func refusedBody() {
        var queue = LedgerQueue()
        queue.announce("a")
        queue.succeed("a", 1)
        queue.apply(queue.ledger.fail(1, ChordEnding.Failure(message: "too large")))
        #expect(queue.endings.count == 2)
        queue.forwardedAll()
        queue.apply(queue.ledger.abandoned(1))
        #expect(queue.rejected == [1])
        #expect(queue.acked == [2])
    }

    @Test("what is told of an earlier channel's chords changes nothing")
    func staleNews() {
        var queue = LedgerQueue()
        queue.announce("a")
        queue.succeed("a", 1)
        queue.ledger.reset()
        #expect(queue.ledger.isEmpty && queue.ledger.bytes == 0)
        queue.announce("a")
        queue.finishAll()
        #expect(queue.acked.isEmpty)
        #expect(queue.ledger.count == 1)
    }
}
