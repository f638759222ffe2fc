import AMQP
import Celery
import CeleryTestKit
import Testing

@testable import CeleryCommandLine

/// What `list queues` shows.
@Suite struct QueueSurveyTests {
    @Test func queuesThatAreThereAndOneThatIsNot() async throws {
        let broker = InMemoryBroker()
        broker.declareQueue(QueueDeclaration(name: "celery"))
        broker.declareQueue(QueueDeclaration(name: "images"))
        for _ in 0..<3 { try broker.publish(OutgoingMessage(routingKey: "celery", body: [1])) }
        let connection = try await broker.connect(.client)
        _ = try await connection.openChannel().consume("images") { _ in }
        let survey = try await QueueSurvey(of: ["celery", "absent", "images"], on: connection)
        #expect(
            survey.table == """
                Queue                        Messages         Consumers
                ----------------             ---------------- ----------------
                celery                       3                0
                absent                       -                -
                images                       0                1
                """
        )
        let json: JSONValue = [
            ["queue": "celery", "messages": 3, "consumers": 0],
            ["queue": "absent", "messages": .null, "consumers": .null],
            ["queue": "images", "messages": 0, "consumers": 1],
        ]
        #expect(survey.json == json)
        await connection.close()
    }
}
