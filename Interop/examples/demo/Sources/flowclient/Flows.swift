import Celery

/// Workflows under the names that they have in `scenarios/workflows`.
struct Flows: Sendable {
    typealias Flow = @Sendable () async throws -> JSONValue

    private static let patience: Duration = .seconds(60)

    let client: CeleryClient
    let journal: String

    var all: [(String, Flow)] { chains + groups + mapped + chords }

    private var chains: [(String, Flow)] {
        [
            ("chain_of_two", { try await value(of: client.send(FlowTasks.add(1, 2).then(FlowTasks.add, 3))) }),
            (
                "chain_with_an_immutable_step",
                {
                    let chain = FlowTasks.add(1, 1).then(FlowTasks.add(5, 6)).then(FlowTasks.mul, 2)
                    return try await value(of: client.send(chain))
                }
            ),
            (
                "chain_with_a_link",
                {
                    let chain = FlowTasks.add(1, 1).then(FlowTasks.add, 3).link(call("link", in: "chain_with_a_link"))
                    return try await value(of: client.send(chain))
                }
            ),
            (
                "chain_with_an_application_error",
                {
                    let chain = FlowTasks.add(1, 1).then(Signature("flow.fail_specially"))
                    return try await value(of: client.send(chain.then(Signature("flow.add", args: [1]))))
                }
            ),
            (
                "errback_by_id",
                {
                    let failing = FlowTasks.fail().onError(call("errback", in: "errback_by_id"))
                    return try await value(of: client.send(failing))
                }
            ),
            (
                "chain_that_ends_in_a_group",
                {
                    let group = Group([Signature("flow.add", args: [1]), Signature("flow.add", args: [2])])
                    return try await value(of: client.send(FlowTasks.add(1, 1).then(group)))
                }
            ),
        ]
    }

    private var groups: [(String, Flow)] {
        [
            ("group_of_three", { try await values(of: Group((1...3).map { FlowTasks.add($0, $0) })) }),
            (
                "group_of_chains",
                {
                    let left = FlowTasks.add(1, 2).then(FlowTasks.add, 3)
                    return try await values(of: Group([left, FlowTasks.mul(2, 3).then(FlowTasks.mul, 4)]))
                }
            ),
            (
                "group_with_links_on_members",
                {
                    let name = "group_with_links_on_members"
                    let left = FlowTasks.add(1, 1).link(call("left", in: name))
                    return try await values(of: Group([left, FlowTasks.add(2, 2).link(call("right", in: name))]))
                }
            ),
        ]
    }

    private var mapped: [(String, Flow)] {
        [
            ("map_of_three", { try await value(of: client.send(Map(FlowTasks.number, [1, 2, 3]))) }),
            ("starmap_of_two", { try await value(of: client.send(Starmap(FlowTasks.add, [(1, 2), (3, 4)]))) }),
            (
                "chunks_of_two",
                { try await values(of: Chunks(FlowTasks.add, (0..<5).map { ($0, $0) }, of: 2).group()) }
            ),
        ]
    }

    private var chords: [(String, Flow)] {
        [
            (
                "chord",
                { try await value(of: client.send(Chord((0..<3).map { FlowTasks.add($0, 1) }, then: FlowTasks.total))) }
            ),
            ("chord_of_none", { try await value(of: client.send(Chord([TaskCall<Int>](), then: FlowTasks.total))) }),
            (
                "chord_of_chains",
                {
                    let header = [
                        FlowTasks.add(1, 2).then(FlowTasks.add, 3), FlowTasks.mul(2, 3).then(FlowTasks.mul, 4),
                    ]
                    return try await value(of: client.send(Chord(header, then: FlowTasks.numbers)))
                }
            ),
            (
                "chord_of_chords",
                {
                    let left = Chord([FlowTasks.number(1), FlowTasks.number(2)], then: FlowTasks.total)
                    let right = Chord([FlowTasks.number(3), FlowTasks.number(4)], then: FlowTasks.total)
                    let header = Group<Int>(left, right, FlowTasks.number(5))
                    return try await value(of: client.send(Chord(header, then: FlowTasks.numbers)))
                }
            ),
            (
                "chord_in_a_chain",
                {
                    let header = [Signature("flow.add", args: [1]), Signature("flow.add", args: [2])]
                    let chord = Chord(header, then: Signature("flow.total"))
                    let chain = FlowTasks.add(1, 1).then(chord).then(Signature("flow.add", args: [9]))
                    return try await value(of: client.send(chain))
                }
            ),
            (
                "chord_with_a_chain_as_body",
                {
                    let chord = Chord((1...3).map { FlowTasks.number($0) }, then: FlowTasks.total)
                    return try await value(of: client.send(chord.then(FlowTasks.mul, 10).then(FlowTasks.add, 1)))
                }
            ),
            (
                "chord_with_a_retrying_member",
                {
                    let header = [FlowTasks.number(1), FlowTasks.again(2), FlowTasks.number(3)]
                    return try await value(of: client.send(Chord(header, then: FlowTasks.total)))
                }
            ),
            (
                "chord_with_a_failing_member",
                {
                    let header = [FlowTasks.number(1), FlowTasks.fail(), FlowTasks.number(3)]
                    let chord = Chord(header, then: FlowTasks.total)
                    let linked = chord.onError(call("body", in: "chord_with_a_failing_member"))
                    return try await value(of: client.send(linked))
                }
            ),
            (
                "group_and_task",
                {
                    let group = Group((1...3).map { FlowTasks.number($0) })
                    return try await value(of: client.send(group.then(FlowTasks.total)))
                }
            ),
        ]
    }

    /// A call of a task that nobody runs: the test reads its message.
    private func call(_ label: String, in flow: String) -> Signature {
        Signature(
            "journal.call",
            kwargs: ["flow": .string("swift.\(flow)"), "label": .string(label)],
            options: TaskOptions(queue: journal)
        )
    }

    private func value<Output>(of handle: TaskHandle<Output>) async throws -> JSONValue {
        try JSONValueEncoder().encode(try await handle.value(timeout: Self.patience))
    }

    private func values<Element>(of group: Group<Element>) async throws -> JSONValue {
        try JSONValueEncoder().encode(try await client.send(group).values(timeout: Self.patience))
    }
}
