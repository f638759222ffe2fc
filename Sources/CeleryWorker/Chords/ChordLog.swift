import AMQP
import Celery
import CeleryProtocol
import Logging

/// The log lines of the collector of chords.
struct ChordLog: Sendable {
    let logger: Logger

    func owning(_ queue: String) {
        logger.info("Collecting the results of chords", metadata: ["queue": "\(queue)"])
    }

    func left(_ queue: String, pending: Int) {
        logger.info("The results of chords are left to the next collector", metadata: Self.pending(queue, pending))
    }

    func reopening(_ queue: String, pending: Int) {
        logger.info(
            "Handing the results of chords back before the broker's consumer timeout",
            metadata: Self.pending(queue, pending)
        )
    }

    func full(_ queue: String) {
        logger.error(
            "More results of chords have come than fit, asking again later; is publishing blocked? Or raise chord_max_bytes",
            metadata: ["queue": "\(queue)"]
        )
    }

    func refused(_ message: IncomingMessage, _ error: ProtocolError) {
        logger.error(
            "Refused a message in a queue of chords' results",
            error: error,
            metadata: [
                "queue": "\(message.routingKey.loggable)",
                "id": "\((message.properties.correlationID ?? "-").loggable)",
                "bytes": "\(message.body.count)",
            ]
        )
    }

    func forwarded(_ id: String, _ verdict: ConfirmPublisher.Verdict) {
        switch verdict {
        case .confirmed: break
        case .unroutable:
            logger.debug("nobody waits for the result of a chord's task", metadata: ["task_id": "\(id.loggable)"])
        case .failed(let error):
            logger.warning(
                "The result of a chord's task could not be passed on",
                error: error,
                metadata: ["task_id": "\(id.loggable)"]
            )
        }
    }

    func completed(_ group: String, members: Int) {
        logger.info("Chord complete", metadata: ["group": "\(group.loggable)", "members": "\(members)"])
    }

    func failed(_ group: String, _ failure: ChordEnding.Failure) {
        // The results may be anybody's secrets: the message names tasks and exceptions, as Celery's log does.
        logger.error("Chord \(group.loggable) raised: ChordError(\(PythonRepr.repr(.string(failure.message))))")
    }

    func bodyRefused(_ group: String, _ error: CeleryError) {
        logger.error("The body of a chord cannot be sent", error: error, metadata: ["group": "\(group.loggable)"])
    }

    func errbackRefused(_ group: String, _ error: CeleryError) {
        logger.error(
            "An errback of a failed chord cannot be sent",
            error: error,
            metadata: ["group": "\(group.loggable)"]
        )
    }

    func failureRefused(_ group: String, _ error: CeleryError) {
        logger.error(
            "Nobody can be told of the failure of a chord",
            error: error,
            metadata: ["group": "\(group.loggable)"]
        )
    }

    func report(_ report: ChordReport) {
        switch report {
        case .announced(let group, let members):
            logger.debug("chord announced", metadata: ["group": "\(group.loggable)", "members": "\(members)"])
        case .repeatedManifest(let group):
            logger.debug("chord announced again", metadata: ["group": "\(group.loggable)"])
        case .repeated(let id):
            logger.debug("result of a chord's task came again", metadata: ["task_id": "\(id.loggable)"])
        case .unknown(let id):
            logger.debug("result of no known chord dropped", metadata: ["task_id": "\(id.loggable)"])
        case .released(let group):
            logger.debug("chord acknowledged", metadata: ["group": "\(group.loggable)"])
        case .overdue(let group, let missing):
            logger.warning(
                "The deadline of a chord has passed",
                metadata: ["group": "\(group.loggable)", "missing": "\(missing)"]
            )
        case .tooLarge(let group, let bytes):
            logger.error(
                "The results of chords are too large, failing the largest chord",
                metadata: ["group": "\(group.loggable)", "bytes": "\(bytes)"]
            )
        case .tooMany(let group, let members):
            logger.error(
                "A chord has too many members",
                metadata: ["group": "\(group.loggable)", "members": "\(members)"]
            )
        }
    }

    private static func pending(_ queue: String, _ count: Int) -> Logger.Metadata {
        ["queue": "\(queue)", "pending": "\(count)"]
    }
}
