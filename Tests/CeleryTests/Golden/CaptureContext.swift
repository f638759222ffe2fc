import CeleryProtocol
import FoundationEssentials
import Synchronization

@testable import Celery

/// Hands out ids in their order.
final class IDSequence: Sendable {
    private let ids: Mutex<[String]>

    init(_ ids: [String]) {
        self.ids = Mutex(ids.reversed())
    }

    func next() -> String {
        ids.withLock { $0.popLast() ?? "no-id-left" }
    }
}

extension Capture {
    /// The tasks of the application that made the captures; its own options where it has some.
    static func registered(_ name: String) -> TaskOptions? {
        switch name {
        case "tasks.unregistered", "tasks.elsewhere":
            nil
        case "tasks.defaults":
            TaskOptions(
                priority: 4,
                expires: .after(.seconds(3600)),
                timeLimit: .seconds(60),
                softTimeLimit: .seconds(50),
                ignoreResult: true
            )
        default:
            TaskOptions()
        }
    }

    /// The surroundings of the send that made the capture.
    func context(_ time: SendTime = .any, ids: [String]? = nil) throws -> SendContext {
        let sequence = IDSequence(ids ?? self.ids)
        return SendContext(
            now: try date(time),
            origin: headers.origin ?? "",
            replyTo: message.replyTo,
            registered: Self.registered,
            makeID: { sequence.next() }
        )
    }
}
