import AMQP
import AMQPValues
import Celery
import CeleryProtocol
import FoundationEssentials

@testable import CeleryWorker

/// A collector queue for tests: numbers the messages, and notes what the ledger wants.
struct LedgerQueue {
    var ledger: ChordLedger
    private(set) var endings: [ChordEnding] = []
    private(set) var forwards: [String: [String]] = [:]
    private(set) var relays: [String: [String]] = [:]
    private(set) var releases: [ChordRelease] = []
    private(set) var marks: [ChordMark] = []
    private(set) var acked: [UInt64] = []
    private(set) var rejected: [UInt64] = []
    private(set) var reports: [ChordReport] = []
    private var unconfirmed: [ChordNumber] = []
    private var unpublished: [ChordNumber] = []
    private var lastTag: UInt64 = 0
    private var now: Double = 0

    /// The size of each message.
    let size = 10

    init(limits: ChordLedger.Limits = ChordLedger.Limits()) {
        ledger = ChordLedger(limits: limits)
    }

    static func body(_ id: String) -> JSONValue {
        ["task": "proj.body", "options": ["task_id": .string("body-\(id)")]]
    }

    private mutating func nextTag() -> UInt64 {
        lastTag += 1
        return lastTag
    }

    mutating func announce(
        _ ids: String...,
        policy: GroupFailurePolicy = .fail,
        deadline: Double? = nil,
        messageID: String? = nil
    ) {
        announce(ids, policy: policy, deadline: deadline, messageID: messageID)
    }

    mutating func announce(
        _ ids: [String],
        group: String = "g",
        policy: GroupFailurePolicy = .fail,
        deadline: Double? = nil,
        messageID: String? = nil
    ) {
        let manifest = ChordManifest(
            groupID: group,
            members: ids.map { ChordManifest.Member(id: $0, replyTo: "r-\($0)") },
            body: Self.body(group),
            policy: policy,
            deadline: deadline.map { WireDate(Date(timeIntervalSince1970: $0)) }
        )
        announce(manifest: manifest, messageID: messageID)
    }

    mutating func announce(manifest: ChordManifest, messageID: String? = nil) {
        let tag = nextTag()
        apply(ledger.receive(manifest, tag: tag, bytes: size, messageID: messageID, now: now))
    }

    mutating func add(_ ids: String..., group: String = "g") {
        let members = ids.map { ChordManifest.Member(id: $0, replyTo: "r-\($0)") }
        let tag = nextTag()
        let addition = ChordAddition(groupID: group, members: members)
        apply(ledger.receive(addition, tag: tag, bytes: size, now: now))
    }

    mutating func succeed(_ id: String, _ value: JSONValue) { part(id, .success(value)) }

    mutating func fail(_ id: String) {
        part(id, .failure(ExceptionInfo(type: "ValueError", module: "builtins", arguments: ["no"])))
    }

    mutating func part(_ id: String, _ state: ChordPart.State) {
        let message = IncomingMessage(
            deliveryTag: nextTag(),
            routingKey: "swcelery.chord.0",
            properties: BasicProperties(),
            body: Array(repeating: 0, count: size)
        )
        apply(ledger.receive(ChordPart(id: id, state: state, message: message), now: now))
    }

    mutating func deliverMark(_ index: Int) {
        let tag = nextTag()
        apply(ledger.receive(marks[index], tag: tag))
    }

    mutating func tick(after seconds: Double) {
        now += seconds
        apply(ledger.tick(now: now))
    }

    mutating func publishedAll() {
        let numbers = unpublished
        unpublished = []
        for number in numbers { apply(ledger.published(number)) }
    }

    mutating func forwardedAll() {
        let numbers = unconfirmed
        unconfirmed = []
        for number in numbers { apply(ledger.forwarded(number)) }
    }

    mutating func finishAll() {
        publishedAll()
        forwardedAll()
    }

    mutating func apply(_ actions: [ChordAction]) {
        for action in actions { apply(action) }
    }

    private mutating func apply(_ action: ChordAction) {
        switch action {
        case .forward(let part, let replyTo, let number):
            forwards[part.id, default: []].append(replyTo)
            unconfirmed.append(number)
        case .relay(let part, let targets): relays[part.id, default: []] += targets
        case .settle(let tags, let settlement): settle(tags, settlement)
        case .release(let release):
            releases.append(release)
            settle(release.manifests, release.manifestSettlement)
            settle(release.rest, .ack)
        case .end(let ending):
            endings.append(ending)
            unpublished.append(ending.number)
        case .mark(let mark, _): marks.append(mark)
        case .report(let report): reports.append(report)
        }
    }

    private mutating func settle(_ tags: [UInt64], _ settlement: Settlement) {
        if settlement == .ack { acked += tags } else { rejected += tags }
    }
}
