import Celery
import CeleryProtocol
import Logging

// Commands by which workers agree; Celery's `celery.worker.control`.
extension ControlCommand {
    static let agreeing: [ControlCommand] = [hello, election]

    /// Another worker starts: it gets the revoked ids and the clock, and leaves its own ids here.
    private static let hello = ControlCommand(
        "hello",
        ControlSignature(["from_node"], optional: ["revoked"])
    ) { arguments, worker in
        let parts = worker.parts
        guard case .string(let node)? = arguments["from_node"], node != parts.hostname else { return .reply(.null) }
        parts.logger.info("sync with \(node.loggable)")
        let entries = arguments["revoked"]?.arrayValue ?? []
        let revoked = parts.revokedIDs
        revoked.merge(MingleReply.ids(entries, capacity: parts.revocations.capacity))
        return .reply([
            "revoked": .array(revoked.shared().map { .string($0) }), "clock": .int(parts.clock.forward()),
        ])
    }

    /// One of the workers is to do something; a worker without gossip does not take part.
    private static let election = ControlCommand(
        "election",
        ControlSignature(["id", "topic"], optional: ["action"])
    ) { arguments, worker in
        guard case .string(let id)? = arguments["id"], case .string(let topic)? = arguments["topic"],
            id.utf8.count <= Gossip.longestName, topic.utf8.count <= Gossip.longestName
        else { throw TaskError.type("election() needs an id and a topic, both texts") }
        worker.parts.gossip?.election(id: id, topic: topic, action: arguments["action"] ?? .null)
        return .reply(.null)
    }
}
