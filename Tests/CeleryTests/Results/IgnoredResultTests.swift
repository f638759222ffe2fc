import CeleryProtocol
import CeleryTestKit
import Testing

@testable import Celery

@Suite("Results that nobody wants, of the parts of workflows", .timeLimit(.minutes(2)))
struct IgnoredResultTests {
    private static let quiet = TaskOptions(ignoreResult: true)

    private static func quiet(_ name: String) -> Signature { Signature(name, options: quiet) }

    /// That no result comes is told at once.
    private static func expectIgnored(_ handle: TaskHandle<JSONValue>?) async throws {
        let handle = try #require(handle)
        let error = await #expect(throws: CeleryError.self) { try await handle.value(timeout: .seconds(60)) }
        #expect(error?.code == .resultIgnored)
        let stopped = await #expect(throws: CeleryError.self) { for try await _ in handle.states {} }
        #expect(stopped?.code == .resultIgnored)
    }

    private static func expectIgnored(_ group: GroupHandle<JSONValue>?) async throws {
        let group = try #require(group)
        let error = await #expect(throws: CeleryError.self) { try await group.values(timeout: .seconds(60)) }
        #expect(error?.code == .resultIgnored)
    }

    /// That results which come in reach the handle.
    private static func expectValue(
        _ handle: TaskHandle<JSONValue>?,
        _ client: CeleryClient,
        _ broker: InMemoryBroker
    ) async throws {
        let handle = try #require(handle)
        let result = ResultMessage(taskID: handle.id, state: .success, result: 7)
        #expect(broker.send(result, to: client.core.backend.replyQueue))
        #expect(try await handle.value(timeout: .seconds(60)) == 7)
    }

    @Test func theLastStepOfAChainDecides() async throws {
        try await withClient(answer: FakeWorker.silent) { client, broker, _ in
            let chain = Chain([Self.quiet("a"), Signature("b")])
            for handle in [try await client.send(chain.signature), try await client.send(chain)] {
                try await Self.expectValue(handle, client, broker)
                try await Self.expectIgnored(handle.parent)
            }
            let plain = Chain([Signature("a"), Signature("b")])
            let given = try await client.send(plain.signature, options: Self.quiet)
            try await Self.expectValue(given, client, broker)
            try await Self.expectValue(try await client.send(plain, options: Self.quiet), client, broker)
            let ending = Chain([Signature("a"), Self.quiet("b")])
            for handle in [try await client.send(ending.signature), try await client.send(ending)] {
                try await Self.expectIgnored(handle)
                try await Self.expectValue(handle.parent, client, broker)
            }
        }
    }

    @Test func whereNoResultComesThereIsNoReplyQueue() async throws {
        try await withClient(answer: FakeWorker.silent) { client, broker, _ in
            let chain = Chain([Self.quiet("a"), Self.quiet("b")])
            try await Self.expectIgnored(client.send(chain.signature))
            try await Self.expectIgnored(client.send(Chain([Signature("a")]), options: Self.quiet))
            let group = try await client.sendGroup(GoldenCase.group([Self.quiet("a"), Self.quiet("b")]))
            try await Self.expectIgnored(group)
            #expect(broker.connectionCount == 2)
        }
    }

    @Test func bodiesAndMembersOfChords() async throws {
        try await withClient(answer: FakeWorker.silent) { client, broker, _ in
            let header = [Signature("a"), Signature("b")]
            let body = try await client.send(Chord(header, then: Self.quiet("c")))
            try await Self.expectIgnored(body)
            for member in try #require(body.parentGroup).members { try await Self.expectValue(member, client, broker) }
            let chain = Chain([Signature("a"), Self.quiet("b")]).signature
            let member = try await client.send(Chord([chain, Signature("d")], then: Signature("c")))
            try await Self.expectIgnored(member.parentGroup)
            try await Self.expectValue(member.parentGroup?.members.last, client, broker)
            try await Self.expectValue(member, client, broker)
            let all = try await client.send(Chord(header, then: Signature("c")), options: Self.quiet)
            try await Self.expectIgnored(all)
            try await Self.expectIgnored(all.parentGroup)
            // A chord that a worker sends.
            let chord = Chord(header, then: Signature("c")).with(Self.quiet)
            let later = try await client.send(Chain([Signature("first"), chord.signature]))
            try await Self.expectIgnored(later)
            for member in try #require(later.parentGroup).members { try await Self.expectIgnored(member) }
        }
    }

    @Test func membersOfGroups() async throws {
        try await withClient(answer: FakeWorker.silent) { client, broker, _ in
            let chain = Chain([Signature("a"), Self.quiet("b")]).signature
            let group = try await client.sendGroup(GoldenCase.group([chain, Signature("c")]))
            try await Self.expectIgnored(group)
            try await Self.expectValue(group.members.last, client, broker)
            // The option belongs to the first step.
            let members = GoldenCase.group([Signature("b"), Signature("c")])
            let ending = Chain([Signature("a"), members]).signature
            let handle = try await client.send(ending, options: Self.quiet)
            for member in try #require(handle.group).members { try await Self.expectValue(member, client, broker) }
            let later = try await client.send(Chain([Signature("a"), members.with(Self.quiet)]))
            for member in try #require(later.group).members { try await Self.expectIgnored(member) }
            // What the send says wins.
            let loud = try await client.sendGroup(
                GoldenCase.group([Self.quiet("a")]),
                options: TaskOptions(ignoreResult: false)
            )
            try await Self.expectValue(loud.members.first, client, broker)
        }
    }
}
