import AMQP
import Celery
import CeleryProtocol

/// Names a chord in a ledger.
typealias ChordNumber = UInt64

/// What the owner of a collector queue has to do.
enum ChordAction: Sendable {
    /// Pass a result on to a member's caller; tell when it is confirmed.
    case forward(ChordPart, to: String, of: ChordNumber)
    /// Pass a result on that is not kept; acknowledge it when all is confirmed.
    case relay(ChordPart, to: [String])
    /// Settle deliveries.
    case settle([UInt64], Settlement)
    /// Acknowledge a chord: its manifest, then the rest.
    case release(ChordRelease)
    /// Publish what follows a chord.
    case end(ChordEnding)
    /// Publish a mark of a deadline to the collector queue.
    case mark(ChordMark, of: ChordNumber)
    /// Tell of it.
    case report(ChordReport)
}

/// How a chord's messages are settled once everything that follows from them is confirmed.
struct ChordRelease: Sendable, Hashable {
    /// Deliveries of the manifest, which have to be gone before the rest.
    var manifests: [UInt64]
    var manifestSettlement: Settlement
    /// Deliveries of results and marks.
    var rest: [UInt64]
    /// Whether the channel alone does not see to that order.
    var needsBarrier: Bool
}

/// What follows a chord.
struct ChordEnding: Sendable, Hashable {
    enum Outcome: Sendable, Hashable {
        /// The body gets a result for each member, in their order; nil for one that is left out.
        case body([JSONValue?])
        /// The body fails.
        case failure(Failure)
    }

    /// Why a chord fails: Celery's `ChordError`.
    struct Failure: Sendable, Hashable {
        var message: String
        /// What the first failed member has raised.
        var cause: ExceptionInfo?
        /// All failed or missing members, one a line.
        var traceback: String?
    }

    let number: ChordNumber
    let manifest: ChordManifest
    let outcome: Outcome
    /// The member that finished last; nil where none did.
    let parentID: String?
}

/// What is worth a line in the log, or a counter.
enum ChordReport: Sendable, Hashable {
    /// A chord has become known.
    case announced(group: String, members: Int)
    /// A further copy of a manifest.
    case repeatedManifest(group: String)
    /// A member's result has come again, or after its chord had ended.
    case repeated(id: String)
    /// A result of a chord that nobody has announced was let go of.
    case unknown(id: String)
    /// The deadline of a chord has passed.
    case overdue(group: String, missing: Int)
    /// Too much is kept: the largest chord fails.
    case tooLarge(group: String, bytes: Int)
    /// A manifest names too many members.
    case tooMany(group: String, members: Int)
    /// A chord's messages are let go of.
    case released(group: String)
}
