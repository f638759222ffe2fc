import AMQP
import AMQPValues
import Celery
import CeleryProtocol
import FoundationEssentials
import Testing

@testable import CeleryWorker

/// Owners of a queue one after the other, each of which dies somewhere, over a queue that forgets only what was acknowledged.
@Suite("Chords: owners that die")
struct ChordReplayTests {
    private enum Message {
        case manifest(ChordManifest, id: String)
        case part(ChordPart)
        case mark(ChordMark)
    }

    /// The queue: messages in their places; nil where acknowledged.
    private struct World {
        var messages: [Message?] = []
        var outcomes: [String: [ChordEnding.Outcome]] = [:]
        var forwarded: Set<String> = []
        var clock: Double = 0
    }

    private static func manifest(_ number: Int, size: Int, deadline: Double?) -> ChordManifest {
        ChordManifest(
            groupID: "g\(number)",
            members: (0..<size).map { ChordManifest.Member(id: "\(number).\($0)", replyTo: "caller") },
            body: LedgerQueue.body("\(number)"),
            deadline: deadline.map { WireDate(Date(timeIntervalSince1970: $0)) }
        )
    }

    private static func part(_ id: String) -> ChordPart {
        let message = IncomingMessage(
            deliveryTag: 0,
            routingKey: "q",
            properties: BasicProperties(),
            body: Array(id.utf8)
        )
        return ChordPart(id: id, state: .success(.string(id)), message: message)
    }

    /// One life of an owner: takes what is there, does a random part of what there is to do, and is gone.
    private static func live(_ world: inout World, upTo end: Int, steps: Int, _ random: inout SeededGenerator) {
        var ledger = ChordLedger()
        var todo: [ChordAction] = []
        var confirms: [ChordAction] = []
        var next = 0
        var left = steps
        while left > 0 {
            left -= 1
            switch Int.random(in: 0..<5, using: &random) {
            case 0, 1:
                while next < end, world.messages[next] == nil { next += 1 }
                guard next < end, let message = world.messages[next] else { continue }
                let tag = UInt64(next) + 1
                next += 1
                switch message {
                case .manifest(let manifest, let id):
                    todo += ledger.receive(manifest, tag: tag, bytes: 1, messageID: id, now: world.clock)
                case .mark(let mark): todo += ledger.receive(mark, tag: tag)
                case .part(let part):
                    let message = IncomingMessage(
                        deliveryTag: tag,
                        routingKey: "q",
                        properties: part.message.properties,
                        body: part.message.body
                    )
                    todo += ledger.receive(
                        ChordPart(id: part.id, state: part.state, message: message),
                        now: world.clock
                    )
                }
            case 2:
                guard !todo.isEmpty else { continue }
                let action = todo.removeFirst()
                if case .release(let release) = action {
                    // One by one: an owner may die between any two of them.
                    let tags = release.manifests + release.rest
                    todo.insert(contentsOf: tags.map { .settle([$0], .ack) }, at: 0)
                } else {
                    perform(action, &world, &confirms)
                }
            case 3:
                guard !confirms.isEmpty else { continue }
                switch confirms.remove(at: Int.random(in: 0..<confirms.count, using: &random)) {
                case .forward(_, _, let number): todo += ledger.forwarded(number)
                case .end(let ending): todo += ledger.published(ending.number)
                default: break
                }
            default: todo += ledger.tick(now: world.clock)
            }
        }
    }

    private static func perform(_ action: ChordAction, _ world: inout World, _ confirms: inout [ChordAction]) {
        switch action {
        case .forward(let part, _, _):
            world.forwarded.insert(part.id)
            confirms.append(action)
        case .end(let ending):
            world.outcomes[ending.manifest.groupID, default: []].append(ending.outcome)
            confirms.append(action)
        case .mark(let mark, _): world.messages.append(.mark(mark))
        case .settle(let tags, _): for tag in tags { world.messages[Int(tag) - 1] = nil }
        case .release, .relay, .report: break
        }
    }

    @Test("every chord ends in one way, with the right results, whoever dies when", arguments: 0..<100)
    func dies(_ seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        var world = World()
        let sizes = (0..<6).map { _ in Int.random(in: 1...5, using: &random) }
        // One of them has a deadline, and misses a member until it has passed.
        let late = Int.random(in: 0..<6, using: &random)
        var missing: [Message] = []
        for (number, size) in sizes.enumerated() {
            world.messages.append(
                .manifest(Self.manifest(number, size: size, deadline: number == late ? 10 : nil), id: "m\(number)")
            )
            for index in 0..<size {
                let message = Message.part(Self.part("\(number).\(index)"))
                if number == late, index == 0 {
                    missing.append(message)
                } else {
                    // A member that runs twice reports twice.
                    for _ in 0..<Int.random(in: 1...2, using: &random) {
                        let place = world.messages.lastIndex { if case .manifest = $0 { true } else { false } } ?? 0
                        let end = world.messages.endIndex
                        world.messages.insert(message, at: Int.random(in: place + 1...end, using: &random))
                    }
                }
            }
        }
        for life in 0..<12 {
            if life == 4 { world.clock = 20 }
            if life == 8 { world.messages += missing }
            let steps = Int.random(in: 0..<250, using: &random)
            Self.live(&world, upTo: world.messages.count, steps: steps, &random)
        }
        // The last one lives as long as it takes: what is left of ended chords is let go of with time.
        for _ in 0..<3 {
            Self.live(&world, upTo: world.messages.count, steps: 2_500, &random)
            world.clock += 100
        }
        for (number, size) in sizes.enumerated() {
            let outcomes = world.outcomes["g\(number)"] ?? []
            #expect(!outcomes.isEmpty, "chord \(number) has ended")
            #expect(Set(outcomes).count == 1, "in one way only")
            let all = ChordEnding.Outcome.body((0..<size).map { .string("\(number).\($0)") })
            if number == late, case .failure(let failure)? = outcomes.first {
                #expect(failure.message.hasPrefix("The chord's deadline has passed without a result of \(number)."))
                continue
            }
            #expect(outcomes.first == all, "chord \(number) has all its results")
            #expect((0..<size).allSatisfy { world.forwarded.contains("\(number).\($0)") })
        }
    }
}
