import Testing

@testable import AMQP

@Suite("PublisherConfirms matches confirms and returns with publishes")
struct PublisherConfirmsTests {
    private typealias Confirms = PublisherConfirms<Int>

    private func identity(_ routingKey: String, id: String? = nil) -> Confirms.Identity {
        var properties = BasicProperties()
        properties.correlationID = id
        return Confirms.Identity(exchange: "", routingKey: routingKey, properties: properties)
    }

    private func outcomes(_ settled: [Confirms.Settled]) -> [String] {
        settled.map { settled in
            switch settled.result {
            case .success: "\(settled.completion) ok"
            case .failure(let error): "\(settled.completion) \(error.code)"
            }
        }
    }

    @Test func singleAndMultipleAcks() {
        var confirms = Confirms()
        for number in 1...5 { confirms.published(identity("q"), number) }
        #expect(outcomes(confirms.confirmed(tag: 2, multiple: false, positive: true)) == ["2 ok"])
        #expect(outcomes(confirms.confirmed(tag: 3, multiple: true, positive: true)) == ["1 ok", "3 ok"])
        #expect(confirms.count == 2)
        #expect(outcomes(confirms.confirmed(tag: 5, multiple: true, positive: false)) == ["4 nacked", "5 nacked"])
        #expect(confirms.count == 0)
    }

    @Test func multipleWithTagZeroMeansAll() {
        var confirms = Confirms()
        for number in 1...2 { confirms.published(identity("q"), number) }
        #expect(outcomes(confirms.confirmed(tag: 0, multiple: true, positive: true)) == ["1 ok", "2 ok"])
    }

    @Test func returnTurnsTheAckThatFollowsIntoAFailure() {
        var confirms = Confirms()
        confirms.published(identity("here"), 1)
        confirms.published(identity("nowhere", id: "a"), 2)
        confirms.published(identity("nowhere", id: "b"), 3)
        #expect(confirms.returned(identity("nowhere", id: "b"), code: 312, text: "NO_ROUTE") == true)
        let settled = confirms.confirmed(tag: 3, multiple: true, positive: true)
        #expect(outcomes(settled) == ["1 ok", "2 ok", "3 unroutable"])
    }

    @Test func returnWithoutItsPublishIsNotMatched() {
        var confirms = Confirms()
        confirms.published(identity("here"), 1)
        #expect(confirms.returned(identity("nowhere"), code: 312, text: "NO_ROUTE") == false)
        #expect(outcomes(confirms.confirmed(tag: 1, multiple: false, positive: true)) == ["1 ok"])
    }

    @Test func equalReturnsCountOneByOne() {
        var confirms = Confirms()
        for number in 1...2 { confirms.published(identity("nowhere"), number) }
        #expect(confirms.returned(identity("nowhere"), code: 312, text: "NO_ROUTE") == true)
        #expect(outcomes(confirms.confirmed(tag: 1, multiple: false, positive: true)) == ["1 unroutable"])
        #expect(confirms.returned(identity("nowhere"), code: 312, text: "NO_ROUTE") == true)
        #expect(outcomes(confirms.confirmed(tag: 2, multiple: false, positive: true)) == ["2 unroutable"])
    }

    @Test func unknownTagsAndDoubleConfirmsAreIgnored() {
        var confirms = Confirms()
        confirms.published(identity("q"), 1)
        confirms.published(identity("q"), 2)
        #expect(confirms.confirmed(tag: 9, multiple: false, positive: true).count == 0)
        #expect(outcomes(confirms.confirmed(tag: 2, multiple: false, positive: true)) == ["2 ok"])
        #expect(confirms.confirmed(tag: 2, multiple: false, positive: true).count == 0)
        #expect(outcomes(confirms.confirmed(tag: 1, multiple: false, positive: true)) == ["1 ok"])
        #expect(confirms.confirmed(tag: 1, multiple: false, positive: true).count == 0)
    }

    @Test func endFailsWhatIsPendingAndOnlyThat() {
        var confirms = Confirms()
        for number in 1...3 { confirms.published(identity("q"), number) }
        _ = confirms.confirmed(tag: 2, multiple: false, positive: true)
        let error = AMQPError(.connectionClosed, "gone")
        #expect(outcomes(confirms.failAll(error)) == ["1 connectionClosed", "3 connectionClosed"])
        #expect(confirms.failAll(error).count == 0)
    }
}
