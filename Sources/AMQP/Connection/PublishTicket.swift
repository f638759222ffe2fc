internal import Synchronization

/// One publish that a task waits for.
///
/// The task may give it up as long as it is not written; what happens first counts.
final class PublishTicket: Sendable {
    private static let waiting: UInt8 = 0
    private static let written: UInt8 = 1
    private static let abandoned: UInt8 = 2

    let id: UInt64
    private let result = OneShot<Result<Void, AMQPError>>()
    private let state = Atomic<UInt8>(PublishTicket.waiting)
    private static let nextID = Atomic<UInt64>(0)

    init() {
        id = Self.nextID.wrappingAdd(1, ordering: .relaxed).newValue
    }

    /// The connection wants to write the message; false where it has been given up.
    func claim() -> Bool { move(to: Self.written) }

    /// The task gives up; false where the message has been written.
    func abandon() -> Bool { move(to: Self.abandoned) }

    /// The publish's fate; only the first one counts.
    func complete(_ value: Result<Void, AMQPError>) { result.fulfil(value) }

    /// Waits for the fate; nil when the task is cancelled.
    func value() async -> Result<Void, AMQPError>? { await result.value() }

    private func move(to new: UInt8) -> Bool {
        state.compareExchange(expected: Self.waiting, desired: new, ordering: .acquiringAndReleasing).exchanged
    }
}

/// Who is told of the fate of a publish.
enum PublishOwner: Sendable {
    case completion(PublishCompletion)
    case ticket(PublishTicket)

    /// The connection wants to write the message; false where nobody wants it any more.
    func claim() -> Bool {
        if case .ticket(let ticket) = self { ticket.claim() } else { true }
    }

    func complete(_ result: Result<Void, AMQPError>) {
        switch self {
        case .completion(let completion): completion(result)
        case .ticket(let ticket): ticket.complete(result)
        }
    }
}

/// A publish on its way to the socket.
struct PendingPublish: Sendable {
    var message: OutgoingMessage
    /// Bytes that it counts for in the connection's room.
    var bytes: Int
    var owner: PublishOwner
}
