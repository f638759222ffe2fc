import AMQP
import Testing

@testable import Celery

@Suite("Adopting what is there")
struct AdoptionTests {
    private static let missing = AMQPError(.channelClosed, "NOT_FOUND - no queue 'q'", replyCode: 404)
    private static let refused = AMQPError(.channelClosed, "ACCESS_REFUSED", replyCode: 403)
    private static let locked = AMQPError(.channelClosed, "RESOURCE_LOCKED", replyCode: 405)
    private static let different = AMQPError(
        .channelClosed,
        "PRECONDITION_FAILED - inequivalent arg 'durable'",
        replyCode: 406
    )
    private static let invalid = AMQPError(.channelClosed, "PRECONDITION_FAILED - invalid arg 'x'", replyCode: 406)
    private static let unknownType = AMQPError(.connectionClosed, "COMMAND_INVALID - unknown type", replyCode: 503)
    private static let lost = AMQPError(.connectionClosed, "lost")

    /// The steps for these answers; nil is a success.
    private func steps(_ answers: [AMQPError?], knowing note: TopologyMemory.Note? = nil) -> [Adoption.Step] {
        var adoption = Adoption(knowing: note)
        return [adoption.step]
            + answers.map { answer in
                if let answer { adoption.failed(answer) } else { adoption.succeeded() }
                return adoption.step
            }
    }

    @Test func whatIsMissingIsMade() {
        #expect(steps([Self.missing, nil]) == [.ask, .declare, .finish(.equal)])
        #expect(steps([Self.missing, nil], knowing: .adopted) == [.ask, .declare, .finish(.equal)])
    }

    @Test func whatIsThereIsComparedOnce() {
        #expect(steps([nil, nil]) == [.ask, .declare, .finish(.equal)])
        #expect(steps([nil], knowing: .adopted) == [.ask, .finish(.known)])
        #expect(steps([nil], knowing: .refused(Self.unknownType)) == [.ask, .finish(.known)])
    }

    @Test func whatIsThereIsUsedAsItIs() {
        #expect(steps([nil, Self.different]) == [.ask, .declare, .finish(.different(Self.different))])
        #expect(steps([nil, Self.invalid]) == [.ask, .declare, .finish(.different(Self.invalid))])
        #expect(steps([nil, Self.refused]) == [.ask, .declare, .finish(.forbidden(Self.refused))])
        // Made by somebody else between the two questions.
        #expect(steps([Self.missing, Self.different]).last == .finish(.different(Self.different)))
    }

    @Test func whatCannotBeMadeFails() {
        #expect(steps([Self.missing, Self.refused]).last == .fail(Self.refused))
        #expect(steps([Self.missing, Self.invalid]).last == .fail(Self.invalid))
        #expect(steps([Self.refused, Self.refused]).last == .fail(Self.refused))
        #expect(steps([Self.locked]).last == .fail(Self.locked))
        #expect(steps([nil, Self.locked]).last == .fail(Self.locked))
        #expect(steps([Self.lost]).last == .fail(Self.lost))
        #expect(steps([Self.missing, Self.unknownType]).last == .fail(Self.unknownType))
    }

    @Test func whatEndedAConnectionIsNotTriedAgain() {
        #expect(steps([Self.missing], knowing: .refused(Self.unknownType)) == [.ask, .fail(Self.unknownType)])
    }
}
