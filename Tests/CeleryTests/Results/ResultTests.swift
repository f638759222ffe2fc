import AMQP
import CeleryProtocol
import CeleryTestKit
import Testing

@testable import Celery

@Suite("Results", .timeLimit(.minutes(1)))
struct ResultTests {
    @Test func failureIsTyped() async throws {
        let exception = ExceptionInfo(type: "ValueError", module: "builtins", arguments: ["bad", 7])
        try await withClient(answer: { task in
            [
                ResultMessage(
                    taskID: task.headers.id,
                    state: .failure,
                    result: exception.json,
                    traceback: "Traceback: here"
                )
            ]
        }) { client, _, _ in
            let handle = try await client.send(Tasks.add(1, 2))
            let failure = await #expect(throws: TaskFailure.self) { try await handle.value(timeout: .seconds(60)) }
            #expect(failure?.id == handle.id)
            #expect(failure?.type == "ValueError")
            #expect(failure?.module == "builtins")
            #expect(failure?.arguments == ["bad", 7])
            #expect(failure?.message == "('bad', 7)")
            #expect(failure?.traceback == "Traceback: here")
            #expect(failure?.state == .failure)
            #expect(handle.state == .failure)
            // Asking again gives the same.
            await #expect(throws: TaskFailure.self) { try await handle.value() }
        }
    }

    @Test func revokedIsAFailureOfItsOwnState() async throws {
        let exception = ExceptionInfo(type: "TaskRevokedError", module: "celery.exceptions", arguments: ["expired"])
        try await withClient(answer: { task in
            [ResultMessage(taskID: task.headers.id, state: .revoked, result: exception.json)]
        }) { client, _, _ in
            let handle = try await client.send(Tasks.add(1, 2))
            let failure = await #expect(throws: TaskFailure.self) { try await handle.value(timeout: .seconds(60)) }
            #expect(failure?.state == .revoked)
            #expect(failure?.message == "expired")
        }
    }

    @Test func failureThatIsNoExceptionsMapIsKept() async throws {
        try await withClient(answer: { [ResultMessage(taskID: $0.headers.id, state: .failure, result: "odd")] }) {
            client,
            _,
            _ in
            let handle = try await client.send(Tasks.add(1, 2))
            let failure = await #expect(throws: TaskFailure.self) { try await handle.value(timeout: .seconds(60)) }
            #expect(failure?.arguments == ["odd"])
        }
    }

    @Test func resultOfAnotherTypeIsADecodingError() async throws {
        try await withClient(answer: { [ResultMessage(taskID: $0.headers.id, state: .success, result: "secret")] }) {
            client,
            _,
            _ in
            let handle = try await client.send(Tasks.add(1, 2))
            let error = await #expect(throws: CeleryError.self) { try await handle.value(timeout: .seconds(60)) }
            #expect(error?.code == .decoding)
            #expect(error?.description.contains("secret") == false)
        }
    }

    @Test func nothingIsAResultToo() async throws {
        try await withClient(answer: { [ResultMessage(taskID: $0.headers.id, state: .success)] }) { client, _, _ in
            let handle = try await client.send(Tasks.notify("x"))
            #expect(try await handle.value(timeout: .seconds(60)) == NoResult())
        }
    }

    @Test func timeoutLeavesTheTaskAlone() async throws {
        try await withClient(answer: FakeWorker.silent) { client, broker, worker in
            let handle = try await client.send(Tasks.add(1, 2))
            for timeout: Duration in [.milliseconds(5), .zero, .seconds(-1)] {
                let error = await #expect(throws: CeleryError.self) { try await handle.value(timeout: timeout) }
                #expect(error?.code == .timeout)
            }
            #expect(client.core.backend.waiterCount == 0)
            #expect(await eventually { !worker.tasks.isEmpty })
            let task = try #require(worker.tasks.first)
            broker.send(ResultMessage(taskID: handle.id, state: .success, result: 9), for: task)
            #expect(try await handle.value(timeout: .seconds(60)) == 9)
        }
    }

    @Test func cancellingAThousandWaitersLeaksNothing() async throws {
        try await withClient(answer: FakeWorker.silent) { client, _, _ in
            let backend = client.core.backend
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<1_000 {
                    group.addTask {
                        let error = await #expect(throws: CeleryError.self) {
                            try await client.send(Tasks.add(number, 1)).value()
                        }
                        #expect(error?.code == .cancelled)
                    }
                }
                #expect(await eventually { backend.waiterCount == 1_000 })
                group.cancelAll()
            }
            #expect(backend.waiterCount == 0)
            #expect(backend.interestCount == 0)
        }
    }

    @Test func cancelledBeforeWaiting() async throws {
        try await withClient(answer: FakeWorker.silent) { client, _, _ in
            let handle = try await client.send(Tasks.add(1, 1))
            let waiting = Task {
                while !Task.isCancelled { await Task.yield() }
                return try await handle.value()
            }
            waiting.cancel()
            let error = await #expect(throws: CeleryError.self) { try await waiting.value }
            #expect(error?.code == .cancelled)
            #expect(client.core.backend.waiterCount == 0)
        }
    }

    @Test func manyMayWaitForOneTask() async throws {
        try await withClient(answer: FakeWorker.silent) { client, broker, worker in
            let handle = try await client.send(Tasks.add(1, 1))
            let results = Task {
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<50 { group.addTask { try await handle.value(timeout: .seconds(60)) } }
                    return try await group.reduce(0, +)
                }
            }
            #expect(await eventually { client.core.backend.waiterCount == 50 && !worker.tasks.isEmpty })
            broker.send(
                ResultMessage(taskID: handle.id, state: .success, result: 2),
                for: try #require(worker.tasks.first)
            )
            #expect(try await results.value == 100)
        }
    }

    @Test func handlesThatAreGoneAreForgotten() async throws {
        try await withClient(answer: FakeWorker.silent) { client, _, _ in
            var handles: [TaskHandle<Int>] = []
            for _ in 0..<10 { handles.append(try await client.send(Tasks.add(1, 1))) }
            #expect(client.core.backend.interestCount == 10)
            handles = []
            #expect(client.core.backend.interestCount == 0)
        }
    }

    @Test func aResultThatNobodyAskedForYetIsKept() async throws {
        try await withClient(answer: FakeWorker.silent) { client, broker, worker in
            let backend = client.core.backend
            let id = try await client.send(Tasks.add(20, 22)).id
            #expect(await eventually { !worker.tasks.isEmpty })
            // Only now: a result that comes while the handle is still there is the handle's.
            #expect(backend.interestCount == 0)
            let task = try #require(worker.tasks.first)
            broker.send(ResultMessage(taskID: id, state: .success, result: 42), for: task)
            #expect(await eventually { backend.unclaimedCount == 1 })
            let handle = client.handle(for: id, returning: Int.self)
            #expect(try await handle.value(timeout: .seconds(60)) == 42)
            #expect(backend.unclaimedCount == 0)
        }
    }

    @Test func statesEndWithTheFinalOne() async throws {
        try await withClient(answer: FakeWorker.silent) { client, broker, worker in
            let handle = try await client.send(Tasks.add(1, 1))
            #expect(await eventually { !worker.tasks.isEmpty })
            let task = try #require(worker.tasks.first)
            #expect(handle.state == .pending)
            let updates = Task { try await handle.states.reduce(into: []) { $0.append($1) } }
            #expect(await eventually { client.core.backend.subscriberCount == 1 })
            let progress = TaskState.custom("PROGRESS")
            let sent: [(TaskState, JSONValue)] = [
                (.started, .null), (progress, ["current": 1]), (.retry, "later"), (.started, .null),
                (progress, ["current": 2]), (.success, 2), (.started, .null), (.failure, "late"),
            ]
            for (state, info) in sent {
                broker.send(ResultMessage(taskID: handle.id, state: state, result: info), for: task)
            }
            let seen = try await updates.value
            #expect(seen.map(\.state) == [.started, progress, .retry, .started, progress, .success])
            #expect(seen[1].info == ["current": 1])
            #expect(handle.state == .success)
            #expect(try await handle.value() == 2)
            #expect(await eventually { client.core.backend.counters.late == 2 })
            // Who begins late gets the same.
            let late = try await handle.states.reduce(into: []) { $0.append($1) }
            #expect(late == seen)
            #expect(client.core.backend.subscriberCount == 0)
        }
    }

    @Test func readersOfStatesThatStopAreForgotten() async throws {
        try await withClient(answer: FakeWorker.silent) { client, _, _ in
            let backend = client.core.backend
            do {
                let handle = try await client.send(Tasks.add(1, 1))
                let reading = Task { for try await _ in handle.states {} }
                #expect(await eventually { backend.subscriberCount == 1 })
                reading.cancel()
                _ = await reading.result
            }
            #expect(backend.subscriberCount == 0)
            #expect(await eventually { backend.interestCount == 0 })
        }
    }

    @Test func malformedResultsHurtOnlyTheirOwn() async throws {
        try await withClient(answer: FakeWorker.silent) { client, broker, worker in
            let backend = client.core.backend
            let (bad, good) = (try await client.send(Tasks.add(1, 1)), try await client.send(Tasks.add(1, 1)))
            #expect(await eventually { worker.tasks.count == 2 })
            let replyTo = try #require(worker.tasks.first?.replyTo)
            for (body, type) in [
                ("{\"status\": ", "application/json"), ("[]", "application/json"), ("", "application/json"),
                ("\u{80}abc", "application/x-python-serialize"),
                (String(repeating: "[", count: 200), "application/json"),
            ] {
                var properties = BasicProperties()
                properties.contentType = type
                properties.correlationID = bad.id
                try broker.publish(OutgoingMessage(routingKey: replyTo, properties: properties, body: Array(body.utf8)))
            }
            // One that belongs to nobody, without anything.
            try broker.publish(OutgoingMessage(routingKey: replyTo, body: [0xff]))
            let error = await #expect(throws: CeleryError.self) { try await bad.value(timeout: .seconds(60)) }
            #expect(error?.code == .malformedResult)
            #expect(await eventually { backend.counters.malformed == 6 })
            broker.send(ResultMessage(taskID: good.id, state: .success, result: 2), to: replyTo)
            #expect(try await good.value(timeout: .seconds(60)) == 2)
            // A proper result heals what a malformed one broke.
            broker.send(ResultMessage(taskID: bad.id, state: .success, result: 3), to: replyTo)
            #expect(await eventually { bad.state == .success })
            #expect(try await bad.value() == 3)
        }
    }

    @Test func shutdownReleasesWhoWaits() async throws {
        let broker = InMemoryBroker()
        let client = CeleryClient(broker: broker, logger: testLogger())
        broker.declareQueue(QueueDeclaration(name: "celery"))
        let handle = try await client.send(Tasks.add(1, 1))
        let waiting = Task { try await handle.value() }
        let reading = Task { for try await _ in handle.states {} }
        #expect(await eventually { client.core.backend.waiterCount == 1 && client.core.backend.subscriberCount == 1 })
        await client.shutdown()
        let error = await #expect(throws: CeleryError.self) { try await waiting.value }
        #expect(error?.code == .closed)
        await #expect(throws: CeleryError.self) { try await reading.value }
        #expect(broker.openConnectionCount == 0)
    }
}
