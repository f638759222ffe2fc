import Testing

@testable import CeleryWorker

/// What gossip knows of the other workers.
@Suite struct GossipNodesTests {
    private let start = ContinuousClock.now

    private func at(_ seconds: Double) -> ContinuousClock.Instant { start + .seconds(seconds) }

    @Test func aNodeJoinsWithItsFirstEvent() {
        var nodes = GossipNodes()
        let first = nodes.heard(from: "a@h", interval: 2, isStart: false, now: at(0))
        #expect(first == [.joined("a@h")])
        let second = nodes.heard(from: "a@h", interval: 2, isStart: false, now: at(1))
        #expect(second.isEmpty)
        #expect(nodes.alive(at(1)) == ["a@h"])
    }

    @Test func aNodeThatStartsAgainJoinsAgain() {
        var nodes = GossipNodes()
        _ = nodes.heard(from: "a@h", interval: 2, isStart: true, now: at(0))
        let again = nodes.heard(from: "a@h", interval: 2, isStart: true, now: at(1))
        #expect(again == [.joined("a@h")])
    }

    @Test func aNodeThatSaysSoLeaves() {
        var nodes = GossipNodes()
        _ = nodes.heard(from: "a@h", interval: 2, isStart: true, now: at(0))
        let left = nodes.left("a@h")
        #expect(left == [.left("a@h")])
        #expect(nodes.alive(at(0)).isEmpty)
        let unknown = nodes.left("b@h")
        #expect(unknown.isEmpty)
    }

    /// After two intervals of its own without a heartbeat.
    @Test func aSilentNodeIsLost() {
        var nodes = GossipNodes()
        _ = nodes.heard(from: "a@h", interval: 2, isStart: true, now: at(0))
        _ = nodes.heard(from: "b@h", interval: 10, isStart: true, now: at(0))
        let early = nodes.check(at(3.9))
        #expect(early.isEmpty)
        #expect(nodes.alive(at(4)) == ["b@h"])
        let lost = nodes.check(at(5))
        #expect(lost == [.lost("a@h")])
        let again = nodes.check(at(6))
        #expect(again.isEmpty)
        let back = nodes.heard(from: "a@h", interval: 2, isStart: false, now: at(7))
        #expect(back == [.joined("a@h")])
    }

    @Test(arguments: [Double.nan, -Double.infinity, -1, 0])
    func anImpossibleIntervalIsShort(interval: Double) {
        var nodes = GossipNodes()
        _ = nodes.heard(from: "a@h", interval: interval, isStart: true, now: at(0))
        let lost = nodes.check(at(1))
        #expect(lost == [.lost("a@h")])
    }

    @Test func anEndlessIntervalEnds() {
        var nodes = GossipNodes()
        _ = nodes.heard(from: "a@h", interval: .infinity, isStart: true, now: at(0))
        let lost = nodes.check(at(200_000))
        #expect(lost == [.lost("a@h")])
    }

    @Test func theNumberIsBounded() {
        var nodes = GossipNodes(capacity: 2)
        _ = nodes.heard(from: "a@h", interval: 2, isStart: false, now: at(0))
        _ = nodes.heard(from: "b@h", interval: 2, isStart: false, now: at(1))
        _ = nodes.heard(from: "a@h", interval: 2, isStart: false, now: at(2))
        let changes = nodes.heard(from: "c@h", interval: 2, isStart: false, now: at(2))
        #expect(changes == [.forgotten("b@h"), .joined("c@h")])
        #expect(nodes.alive(at(2)) == ["a@h", "c@h"])
    }
}
