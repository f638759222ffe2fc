import AMQP
import Testing

@testable import Celery

@Suite("Several brokers")
struct BrokerAddressesTests {
    /// Brokers of which some are up, and the order in which they were tried.
    private struct Brokers {
        let addresses: BrokerAddresses
        var up: Set<String> = []
        var tried: [String] = []

        init(_ urls: String, _ strategy: FailoverStrategy = .roundRobin) throws {
            addresses = try BrokerAddresses(urls, setting: "broker_url", strategy: strategy)
        }

        /// The host that a connection is made to; nil where there is none.
        mutating func connect() async -> String? {
            var tried: [String] = []
            let up = up
            let host = try? await addresses.firstThatWorks { uri throws(AMQPError) in
                tried.append(uri.host)
                guard up.contains(uri.host) else { throw AMQPError(.connectionFailed, "down") }
                return uri.host
            }
            self.tried = tried
            return host
        }
    }

    private static let three = "amqp://a;amqp://b;amqp://c"

    @Test func theFirstThatWorksIsKept() async throws {
        var brokers = try Brokers(Self.three)
        brokers.up = ["b", "c"]
        #expect(await brokers.connect() == "b")
        #expect(brokers.tried == ["a", "b"])
        // A live connection that is lost begins where it was.
        #expect(await brokers.connect() == "b")
        #expect(brokers.tried == ["b"])
    }

    @Test func afterTheSecondDiesTheFirstIsTriedAgain() async throws {
        var brokers = try Brokers("amqp://a;amqp://b")
        brokers.up = ["b"]
        #expect(await brokers.connect() == "b")
        brokers.up = ["a"]
        #expect(await brokers.connect() == "a")
        #expect(brokers.tried == ["b", "a"])
        brokers.up = ["a", "b"]
        #expect(await brokers.connect() == "a")
    }

    @Test func everyTurnTriesAllAndTheNextBeginsWithTheNext() async throws {
        var brokers = try Brokers(Self.three)
        for order in [["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"], ["a", "b", "c"]] {
            #expect(await brokers.connect() == nil)
            #expect(brokers.tried == order)
        }
    }

    @Test func shuffledTurnsTryAllInAnyOrder() async throws {
        var brokers = try Brokers(Self.three, .shuffle)
        var firsts: Set<String> = []
        for _ in 0..<200 {
            #expect(await brokers.connect() == nil)
            #expect(Set(brokers.tried) == ["a", "b", "c"])
            #expect(brokers.tried.count == 3)
            if let first = brokers.tried.first { firsts.insert(first) }
        }
        #expect(firsts == ["a", "b", "c"])
        brokers.up = ["c"]
        #expect(await brokers.connect() == "c")
        brokers.up = ["a"]
        #expect(await brokers.connect() == "a")
    }

    @Test func theLastErrorIsTheTurns() async throws {
        let addresses = try BrokerAddresses(Self.three, setting: "broker_url", strategy: .roundRobin)
        let last = await #expect(throws: AMQPError.self) {
            try await addresses.firstThatWorks { uri throws(AMQPError) in
                throw AMQPError(.connectionFailed, uri.host)
            }
        }
        #expect(last?.message == "c")
    }

    @Test func acancelledCallerTriesNoFurther() async throws {
        let addresses = try BrokerAddresses(Self.three, setting: "broker_url", strategy: .roundRobin)
        var tried = 0
        let error = await #expect(throws: AMQPError.self) {
            try await addresses.firstThatWorks { _ throws(AMQPError) in
                tried += 1
                throw AMQPError(.cancelled, "")
            }
        }
        #expect(error?.code == .cancelled)
        #expect(tried == 1)
    }
}
