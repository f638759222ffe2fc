import AMQP
import CeleryProtocol
import FoundationEssentials
import Testing

@testable import Celery

/// How all messages of one of Celery's workflows are made here.
struct GoldenWorkflow: Sendable, CustomTestStringConvertible {
    let name: String
    let make: @Sendable ([Capture], TaskComposer) throws -> Composition

    var testDescription: String { name }

    /// A signature that is sent.
    static func send(
        _ name: String,
        sent time: Capture.SendTime = .any,
        prepending arguments: [JSONValue] = [],
        options: TaskOptions = TaskOptions(),
        _ signature: @escaping @Sendable ([Capture]) throws -> Signature
    ) -> GoldenWorkflow {
        GoldenWorkflow(name: name) { captures, composer in
            try composer.compose(
                signature(captures),
                prepending: arguments,
                options: options,
                context: context(captures, time)
            )
        }
    }

    /// The surroundings of the send, with ids of this test's own.
    static func context(_ captures: [Capture], _ time: Capture.SendTime = .any) throws -> SendContext {
        var context = try #require(captures.first).context(time)
        context.makeID = { TaskID.make() }
        return context
    }

    /// The captures of the workflow, in their order, without what polls for a chord's results: here that is a collector.
    func captures() throws -> [Capture] {
        let names = try Capture.names().filter { $0 == name || $0.hasPrefix(name + ".") }
        let captures = try names.sorted().map { try Capture($0) }
        return captures.filter { $0.headers.task != "celery.chord_unlock" }
    }
}

extension Capture {
    static func names() throws -> [String] {
        let folder = URL(filePath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "CeleryProtocolTests/Golden/index.json")
        let index = try #require(JSONValue(parsing: Array(Data(contentsOf: folder))).arrayValue)
        return index.compactMap { $0["file"]?.stringValue }.map { String($0.dropLast(".json".count)) }
    }
}

extension GoldenWorkflow {
    typealias Case = GoldenCase

    static let sum = Signature("tasks.xsum")
    static let two: [Signature] = [Case.add(1, 1), Case.add(2, 2)]

    /// A chord as Celery writes it, with a list for a header.
    static func chord(_ header: [Signature], _ body: Signature) -> Signature {
        Signature(
            wire: SignatureWire(
                task: "celery.chord",
                kwargs: ["kwargs": [:], "header": .array(header.map(\.json)), "body": body.json],
                subtaskType: "chord"
            )
        )
    }

    static let chords: [GoldenWorkflow] = [
        .send("chord_two") { _ in chord(two, sum) },
        .send("chord_from_chain") { _ in Chain([Case.group(two), sum]).signature },
        .send("chord_in_chain") { _ in
            Chain([Case.add(1, 1), chord([Case.add(2), Case.add(3)], sum), Case.mul(10)]).signature
        },
        .send("chord_header_of_chains") { _ in
            chord([Chain([Case.add(1, 1), Case.mul(2)]).signature, Case.add(3, 3)], sum)
        },
        .send("chord_group_body") { _ in chord(two, Case.group([sum, Case.onDone])) },
        .send("chord_nested") { _ in chord([Case.add(1, 1), chord([Case.add(2, 2), Case.add(3, 3)], sum)], sum) },
        .send("chord_body_chain") { _ in chord(two, Chain([sum, Case.mul(2)]).signature) },
        .send("chord_errback") { _ in
            chord(two, Case.signature(sum, ["link_error": [Signature("tasks.errback_full").json]]))
        },
        .send("chord_empty_header") { _ in chord([], sum) },
        .send("chord_stamped") { captures in
            chord(try two.map { Case.signature($0, try captures[0].stamps) }, try captures[0].stampedBody(sum))
        },
        GoldenWorkflow(name: "chord_options") { captures, composer in
            let options: CanvasOptions = [
                "countdown": .value(7), "priority": .value(2), "max_retries": .value(5), "interval": .value(2),
            ]
            return try composer.compose(
                CanvasNode(chord(two, sum)),
                CanvasRun.Call(options: options),
                context: context(captures, .beforeEta(7))
            )
        },
        GoldenWorkflow(name: "chord_body") { captures, composer in
            let body = Case.signature(sum, captures[0].frozen)
            let manifest = ChordManifest(
                groupID: captures[0].headers.group ?? "",
                members: [.init(id: "first"), .init(id: "second")],
                body: body.json,
                rootID: captures[0].headers.rootID
            )
            return try composer.composeChordBody(
                manifest,
                results: [2, 4],
                parentID: captures[0].headers.parentID,
                context: context(captures)
            )
        },
        GoldenWorkflow(name: "chord_error_errback") { captures, composer in
            let options: JSONObject = [
                "link_error": [Case.errbackID.json], "task_id": .string(captures[0].headers.rootID ?? ""),
            ]
            let body = Case.signature(sum, options)
            let manifest = ChordManifest(groupID: "group", members: [.init(id: "first")], body: body.json)
            let failure = ChordFailure(message: "Dependency first raised ValueError('x')")
            return try composer.composeChordError(manifest, failure, parentID: "first", context: context(captures))
                .errbacks
        },
        GoldenWorkflow(name: "chord_replace_group") { captures, composer in
            let group = Case.group([Case.add(5, 1), Case.add(5, 2)])
            return try composer.replace(captures[0].parent(), with: group, replyTo: nil, context: context(captures))
        },
    ]

    static let groups: [GoldenWorkflow] = [
        .send("group_three") { _ in Case.group([Case.add(0, 0), Case.add(1, 1), Case.add(2, 2)]) },
        .send("group_nested") { _ in
            Case.group([Case.add(1, 1), Case.group([Case.add(2, 2), Case.add(3, 3)]), Case.add(4, 4)])
        },
        .send("group_of_chains") { _ in
            Case.group([Chain([Case.add(1, 1), Case.mul(2)]).signature, Case.add(3, 3)])
        },
        .send(
            "group_options",
            sent: .beforeEta(5),
            options: TaskOptions(priority: 2, countdown: .seconds(5), taskID: "group-id")
        ) { _ in Case.group(two) },
        .send("group_partial_args", prepending: [3]) { _ in Case.group([Case.add(10), Case.mul(20)]) },
        .send("group_skew", sent: .beforeEta(1)) { _ in
            Case.group([
                Case.signature(Case.add(0, 0), ["countdown": 1]), Case.signature(Case.add(1, 1), ["countdown": 2]),
            ])
        },
        .send("group_link_error") { _ in
            Case.group([Case.signature(two[0], ["link_error": [Case.errbackID.json]]), two[1]])
        },
        .send("chunks") { _ in try chunks([[0, 0], [1, 1], [2, 2], [3, 3], [4, 4]]) },
        .send("chunks_group") { _ in try chunks([[1, 1], [2, 2], [3, 3]]) },
        .send("map") { captures in
            Signature("celery.map", kwargs: captures[0].kwargs, immutable: true)
        },
        .send("starmap") { captures in
            Signature("celery.starmap", kwargs: captures[0].kwargs, immutable: true)
        },
    ]

    private static func chunks(_ calls: [[JSONValue]]) throws -> Signature {
        try Chunks(Signature("tasks.add"), calls, of: 2).group().signature
    }

    /// Messages whose stamps are in the order that they have in the capture: Celery takes them from a set.
    static let stamped: [GoldenWorkflow] = [
        .send("stamp_simple") { Case.signature(Case.add(2, 3), try $0[0].stamps) },
        .send("stamp_kwarg") { Case.signature(Case.add(2, 3), try $0[0].stamps) },
        .send("stamp_visitor") { Case.signature(Case.add(2, 3), try $0[0].stamps) },
        .send("stamp_visitor_chain") { captures in
            let step = try #require(captures[0].chain.first?["options"]?.objectValue)
            let stamps = step.filter { !["task_id", "reply_to"].contains($0.key) }
            return Chain([
                Case.signature(Case.add(1, 2), try captures[0].stamps), Case.signature(Case.mul(3), stamps),
            ]).signature
        },
        .send("stamp_visitor_group") { captures in
            Case.group([
                Case.signature(two[0], try captures[0].stamps), Case.signature(two[1], try captures[1].stamps),
            ])
        },
        .send("stamp_visitor_links") { captures in
            let embed = captures[0].message.body.embed
            var options = try captures[0].stamps
            options["link"] = embed.callbacks.map(JSONValue.array)
            options["link_error"] = embed.errbacks.map(JSONValue.array)
            return Case.signature(Case.add(2, 3), options)
        },
    ]

    static let worker: [GoldenWorkflow] = [
        GoldenWorkflow(name: "worker_children") { captures, composer in
            let context = try context(captures).within(captures[0].parent().headers)
            var composition = try composer.compose(Case.add(1, 1), context: context)
            composition.add(
                try composer.compose(Case.group([Case.add(2, 2), Case.add(3, 3)]), context: context)
            )
            return composition
        },
        GoldenWorkflow(name: "worker_errback_by_id") { captures, composer in
            let headers = captures[0].parent().headers
            return try composer.composeErrbacks([Case.errbackID.json], after: headers, context: context(captures))
        },
        GoldenWorkflow(name: "worker_errback_unknown") { captures, composer in
            let errbacks = [Signature("tasks.elsewhere").json]
            let headers = captures[0].parent().headers
            return try composer.composeErrbacks(errbacks, after: headers, context: context(captures))
        },
        GoldenWorkflow(name: "worker_stamped_chain") { captures, composer in
            var parent = captures[0].parent()
            var step = Case.signature(Case.mul(3), try captures[0].stamps)
            step.wire.options.merge(captures[0].frozen) { _, new in new }
            parent.body.embed.chain = [step.json]
            return try composer.composeChainStep(after: parent, result: 3, context: context(captures))
        },
    ]

    static let all = chords + groups + stamped + worker
}

extension Capture {
    /// The stamps as options of a signature.
    var stamps: JSONObject {
        get throws {
            let names = try #require(headers.stampedHeaders)
            var options: JSONObject = ["stamped_headers": .array(names.map(JSONValue.string))]
            for stamp in headers.stamps { options[stamp.name] = JSONValue(stamp.value) }
            return options
        }
    }

    /// The options of a frozen task.
    var frozen: JSONObject {
        var options: JSONObject = ["task_id": .string(headers.id), "reply_to": .string(message.replyTo ?? "")]
        options["group_id"] = headers.group.map(JSONValue.string)
        return options
    }

    /// A chord's body with the stamps that it has in its header's tasks.
    func stampedBody(_ body: Signature) throws -> Signature {
        let options = try #require(message.body.embed.chord?["options"]?.objectValue)
        return GoldenCase.signature(body, options.filter { !["task_id", "reply_to", "group_id"].contains($0.key) })
    }
}
