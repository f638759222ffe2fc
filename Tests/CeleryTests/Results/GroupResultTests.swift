import CeleryProtocol
import CeleryTestKit
import Testing

@testable import Celery

@Suite("Groups and their results", .timeLimit(.minutes(2)))
struct GroupResultTests {
    /// Adds the arguments, and fails where the sum is negative.
    private static let choosy: FakeWorker.Answer = { task in
        let sum = task.body.args.compactMap(\.intValue).reduce(0, +)
        guard sum < 0 else { return [ResultMessage(taskID: task.headers.id, state: .success, result: .int(sum))] }
        let exception = ExceptionInfo(type: "ValueError", module: "builtins", arguments: [.int(sum)])
        return [ResultMessage(taskID: task.headers.id, state: .failure, result: exception.json)]
    }

    private static var mixed: Group<Int> {
        Group([Tasks.add(1, 1), Tasks.add(-1, -1), Tasks.add(2, 2), Tasks.add(-2, 0)])
    }

    @Test func valuesInTheOrderOfTheGroup() async throws {
        try await withClient { client, _, worker in
            let handle = try await client.send(Group((1...10).map { Tasks.add($0, $0) }))
            #expect(try await handle.values(timeout: .seconds(60)) == (1...10).map { $0 * 2 })
            #expect(handle.completedCount == 10)
            #expect(handle.isReady && handle.isSuccessful && !handle.hasFailed)
            #expect(handle.states == Array(repeating: .success, count: 10))
            #expect(worker.tasks.map(\.headers.group) == Array(repeating: handle.id, count: 10))
            #expect(Set(worker.tasks.compactMap(\.headers.groupIndex)) == Set(0..<10))
            #expect(Set(worker.tasks.map(\.headers.id)) == Set(handle.members.map(\.id)))
            // Asked again, all of it is known.
            #expect(try await handle.values(timeout: .zero).count == 10)
        }
    }

    @Test func policiesForFailures() async throws {
        try await withClient(answer: Self.choosy) { client, _, _ in
            let failing = try await client.send(Self.mixed)
            let failure = await #expect(throws: TaskFailure.self) { try await failing.values(timeout: .seconds(60)) }
            #expect(failure?.id == failing.members[1].id)
            #expect(failing.hasFailed && !failing.isSuccessful)
            let outcomes = try await failing.outcomes(timeout: .seconds(60))
            #expect(outcomes.map { try? $0.get() } == [2, nil, 4, nil])

            let ignoring = try await client.send(Self.mixed.onFailure(.ignore))
            #expect(try await ignoring.values(timeout: .seconds(60)) == [2, 4])
            #expect(ignoring.completedCount == 2)
            #expect(ignoring.isReady)

            let continuing = try await client.send(Self.mixed.continuingOnFailure())
            #expect(try await continuing.values(timeout: .seconds(60)) == [2, nil, 4, nil])

            let typed = try await client.send(Self.mixed.onFailure(.continue))
            let error = await #expect(throws: CeleryError.self) { try await typed.values(timeout: .seconds(60)) }
            #expect(error?.code == .decoding)

            // Of a signature the policy is the one that travels in it.
            let untyped = try await client.sendGroup(Self.mixed.onFailure(.continue).signature)
            #expect(try await untyped.values(timeout: .seconds(60)) == [2, nil, 4, nil])
        }
    }

    @Test func waitingEndsInTimeAndWithTheCaller() async throws {
        try await withClient(answer: FakeWorker.silent) { client, broker, worker in
            let handle = try await client.send(Group([Tasks.add(1, 2), Tasks.add(3, 4)]))
            let late = await #expect(throws: CeleryError.self) { try await handle.values(timeout: .milliseconds(20)) }
            #expect(late?.code == .timeout)
            let waiting = Task { try await handle.values() }
            #expect(await eventually { client.core.backend.waiterCount == 1 })
            waiting.cancel()
            let cancelled = await #expect(throws: CeleryError.self) { try await waiting.value }
            #expect(cancelled?.code == .cancelled)
            #expect(await eventually { worker.tasks.count == 2 })
            // Duplicates change nothing.
            for task in worker.tasks.reversed() {
                for result in [7, 8] {
                    broker.send(
                        ResultMessage(taskID: task.headers.id, state: .success, result: .int(result)),
                        for: task
                    )
                }
            }
            #expect(try await handle.values(timeout: .seconds(60)) == [7, 7])
        }
    }

    @Test func handlesThatAreGoneGiveTheirResultsUp() async throws {
        try await withClient(answer: FakeWorker.silent) { client, _, _ in
            do {
                let handle = try await client.send(Group([Tasks.add(1, 2), Tasks.add(3, 4)]))
                #expect(client.core.backend.interestCount == 2)
                _ = handle
            }
            #expect(client.core.backend.interestCount == 0)
        }
    }

    @Test func membersAreChainsAndGroups() async throws {
        try await withClient(answer: FakeWorker.silent) { client, broker, worker in
            let chain = Tasks.add(1, 2).then(Tasks.double)
            let handle = try await client.send(Group(chain, Chain(Tasks.double(7))))
            #expect(await eventually { worker.tasks.count == 2 })
            let first = try #require(handle.members.first)
            let leading = try #require(worker.tasks.first { $0.headers.task == "tasks.add" })
            #expect(first.parent?.id == leading.headers.id)
            #expect(leading.body.embed.chain?.first?["options"]?["task_id"]?.stringValue == first.id)
            #expect(handle.members.last?.parent == nil)
            for (member, result) in zip(handle.members, [6, 14]) {
                broker.send(ResultMessage(taskID: member.id, state: .success, result: .int(result)), for: leading)
            }
            #expect(try await handle.values(timeout: .seconds(60)) == [6, 14])
        }
    }

    @Test func aGroupAsASignatureComesToAList() async throws {
        try await withClient(answer: Self.choosy) { client, _, _ in
            let group = Group([Tasks.add(1, 1), Tasks.add(2, 2)])
            let handle = try await client.send(group.signature)
            #expect(try await handle.value(timeout: .seconds(60)) == [2, 4])
            #expect(handle.group?.id == handle.id)
            #expect(handle.state == .success)
            let updates = try await handle.states.reduce(into: []) { $0.append($1.info) }
            #expect(Set(updates) == [2, 4])
            #expect(handle.parent == nil)
            let failing = try await client.send(Self.mixed.signature)
            await #expect(throws: TaskFailure.self) { try await failing.value(timeout: .seconds(60)) }
            let single = await #expect(throws: CeleryError.self) {
                try await client.sendGroup(Tasks.add(1, 1).signature)
            }
            #expect(single?.code == .invalidSignature)
        }
    }

    @Test func theStateOfAGroupFollowsItsPolicy() async throws {
        try await withClient(answer: FakeWorker.silent) { client, broker, _ in
            let reply = client.core.backend.replyQueue
            for policy in [GroupFailurePolicy.fail, .ignore, .continue] {
                let group = Group([Tasks.add(1, 1), Tasks.add(2, 2)]).onFailure(policy)
                let handle = try await client.send(group.signature)
                let members = try #require(handle.group).members
                broker.send(ResultMessage(taskID: members[0].id, state: .failure, result: [:]), to: reply)
                await #expect(throws: TaskFailure.self) { try await members[0].value(timeout: .seconds(60)) }
                #expect(handle.state == (policy == .fail ? .failure : .pending))
                broker.send(ResultMessage(taskID: members[1].id, state: .success, result: 4), to: reply)
                #expect(try await members[1].value(timeout: .seconds(60)) == 4)
                #expect(handle.state == (policy == .fail ? .failure : .success))
            }
        }
    }

    @Test func emptyGroupsAndUnwantedResults() async throws {
        try await withClient(answer: FakeWorker.silent) { client, _, worker in
            let nothing = try await client.send(Group<Int>())
            #expect(try await nothing.values(timeout: .zero) == [])
            #expect(nothing.isSuccessful)
            let ignored = try await client.send(
                Group([Tasks.add(1, 1)]),
                options: TaskOptions(ignoreResult: true)
            )
            let error = await #expect(throws: CeleryError.self) { try await ignored.values(timeout: .zero) }
            #expect(error?.code == .resultIgnored)
            let id = try await client.enqueue(Group([Tasks.add(1, 1), Tasks.add(2, 2)]))
            #expect(await eventually { worker.tasks.count == 3 })
            #expect(worker.tasks.filter { $0.headers.group == id && $0.headers.ignoreResult == true }.count == 2)
        }
    }

    @Test func mapsAndChunks() async throws {
        let lists: FakeWorker.Answer = { task in
            let sums = task.body.kwargs["it"]?.arrayValue?.map { element in
                JSONValue.int((element.arrayValue ?? [element]).compactMap(\.intValue).reduce(0, +))
            }
            return [ResultMessage(taskID: task.headers.id, state: .success, result: .array(sums ?? []))]
        }
        try await withClient(answer: lists) { client, _, worker in
            #expect(try await client.send(Map(Tasks.double, [1, 2])).value(timeout: .seconds(60)) == [1, 2])
            #expect(
                try await client.send(Starmap(Tasks.add, [(1, 2), (3, 4)])).value(timeout: .seconds(60)) == [3, 7]
            )
            let chunks = try await client.send(Chunks(Tasks.add, (1...3).map { ($0, $0) }, of: 2))
            #expect(try await chunks.values(timeout: .seconds(60)) == [[2, 4], [6]])
            #expect(worker.tasks.map(\.headers.task) == ["celery.map"] + Array(repeating: "celery.starmap", count: 3))
        }
    }
}
