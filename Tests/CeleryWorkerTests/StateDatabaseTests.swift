import Celery
import CeleryProtocol
import CeleryTestKit
import FoundationEssentials
import Testing

@testable import CeleryWorker

@Suite("State database")
struct StateDatabaseTests {
    /// A folder of its own, which is gone afterwards.
    private static func withFolder(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "swcelery-state-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder.path)
    }

    private static func keeper(_ path: String, _ revocations: Revocations, _ logs: LogRecorder) -> StateKeeper {
        StateKeeper(path: path, revocations: revocations, logger: logs.logger(), interval: .seconds(3600))
    }

    @Test("what was revoked is revoked in the next run, in its order and with its age")
    func roundTrip() async throws {
        try await Self.withFolder { folder in
            let path = "\(folder)/state"
            let logs = LogRecorder()
            let first = Revocations()
            first.add(ids: ["old"], now: .now - .seconds(500))
            first.add(ids: ["new"])
            first.add(stamps: [.init(name: "batch", value: ["b", 1])])
            first.add(roots: ["root"])
            await Self.keeper(path, first, logs).save()
            let second = Revocations()
            await Self.keeper(path, second, logs).load()
            #expect(second.ids == ["old", "new"])
            let snapshot = second.snapshot
            #expect(snapshot.stamps.map(\.element) == [.init(name: "batch", value: ["b", 1])])
            #expect(second.roots == ["root"])
            let age = try #require(snapshot.ids.first).time.duration(to: .now).seconds
            #expect(age > 499 && age < 1000)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["state"])
        }
    }

    @Test("nothing is written where nothing has changed, and what is read is not written back")
    func unchanged() async throws {
        try await Self.withFolder { folder in
            let path = "\(folder)/state"
            let logs = LogRecorder()
            let revocations = Revocations()
            let keeper = Self.keeper(path, revocations, logs)
            await keeper.load()
            await keeper.save()
            #expect(!FileManager.default.fileExists(atPath: path))
            revocations.add(ids: ["a"])
            await keeper.save()
            try FileManager.default.removeItem(atPath: path)
            await keeper.save()
            #expect(!FileManager.default.fileExists(atPath: path))
            revocations.add(ids: ["b"])
            await keeper.save()
            #expect(try await StateDatabase(path: path).load()?.ids.map(\.value) == ["a", "b"])
            #expect(logs.messages.filter { $0.contains("cannot") }.isEmpty)
        }
    }

    @Test(
        "a file that cannot be read is kept aside, and the worker goes on",
        arguments: [
            "", "{", "[]", "\u{1}garbage", #"{"format": "swcelery worker state", "version": 2}"#,
            #"{"format": "swcelery worker state", "version": 1, "revoked": [["a"]], "stamps": []}"#,
            #"{"format": "swcelery worker state", "version": 1, "revoked": [["a", "b"]], "stamps": []}"#,
        ]
    )
    func damaged(text: String) async throws {
        try await Self.withFolder { folder in
            let path = "\(folder)/state"
            try Data(text.utf8).write(to: URL(filePath: path))
            let logs = LogRecorder()
            let revocations = Revocations()
            let keeper = Self.keeper(path, revocations, logs)
            await keeper.load()
            #expect(revocations.ids.isEmpty)
            #expect(logs.messages == ["The worker's state cannot be read, going on without"])
            #expect(try Data(contentsOf: URL(filePath: "\(path).damaged")) == Data(text.utf8))
            revocations.add(ids: ["a"])
            await keeper.save()
            #expect(try await StateDatabase(path: path).load()?.ids.map(\.value) == ["a"])
        }
    }

    #if os(Linux)
    @Test("a file that is there and cannot be opened is left alone, and nothing is saved")
    func unreadable() async throws {
        try await Self.withFolder { folder in
            let path = "\(folder)/state"
            // Reading a process's memory from its very beginning is an error for root, too.
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/proc/self/mem")
            let logs = LogRecorder()
            let revocations = Revocations()
            let keeper = Self.keeper(path, revocations, logs)
            await keeper.load()
            revocations.add(ids: ["a"])
            await keeper.save()
            #expect(logs.messages == ["The worker's state cannot be read, going on without it and without saving"])
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["state"])
        }
    }
    #endif

    @Test("a link in the place of the new file is not followed")
    func plantedLink() async throws {
        try await Self.withFolder { folder in
            let victim = "\(folder)/victim"
            try Data("mine".utf8).write(to: URL(filePath: victim))
            try FileManager.default.createSymbolicLink(atPath: "\(folder)/state.new", withDestinationPath: victim)
            let revocations = Revocations()
            let keeper = Self.keeper("\(folder)/state", revocations, LogRecorder())
            revocations.add(ids: ["a"])
            await keeper.save()
            #expect(try Data(contentsOf: URL(filePath: victim)) == Data("mine".utf8))
            #expect(try await StateDatabase(path: "\(folder)/state").load()?.ids.map(\.value) == ["a"])
        }
    }

    @Test("a folder that is not there is told once, and the state is saved as soon as it can be")
    func missingFolder() async throws {
        try await Self.withFolder { folder in
            let path = "\(folder)/later/state"
            let logs = LogRecorder()
            let revocations = Revocations()
            let keeper = Self.keeper(path, revocations, logs)
            await keeper.load()
            revocations.add(ids: ["a"])
            await keeper.save()
            await keeper.save()
            #expect(logs.messages == ["The worker's state cannot be saved"])
            try FileManager.default.createDirectory(atPath: "\(folder)/later", withIntermediateDirectories: false)
            await keeper.save()
            #expect(try await StateDatabase(path: path).load()?.ids.map(\.value) == ["a"])
        }
    }

    @Test("a file that is too large is not read")
    func tooLarge() async throws {
        try await Self.withFolder { folder in
            var database = StateDatabase(path: "\(folder)/state")
            try await database.save(PersistedState(clock: 42))
            #expect(try await database.load()?.clock == 42)
            database.largestSize = 20
            let bounded = database
            await #expect(throws: PersistedState.Unreadable.self) { _ = try await bounded.load() }
        }
    }

    @Test("the clock of an earlier run is kept")
    func clock() async throws {
        try await Self.withFolder { folder in
            let path = "\(folder)/state"
            try await StateDatabase(path: path).save(PersistedState(clock: 42))
            let revocations = Revocations()
            let keeper = Self.keeper(path, revocations, LogRecorder())
            await keeper.load()
            revocations.add(ids: ["a"])
            await keeper.save()
            #expect(try await StateDatabase(path: path).load()?.clock == 42)
        }
    }

    @Test("changes are saved from time to time, and at the end")
    func periodically() async throws {
        try await Self.withFolder { folder in
            let path = "\(folder)/state"
            let revocations = Revocations()
            let keeper = StateKeeper(
                path: path,
                revocations: revocations,
                logger: LogRecorder().logger(),
                interval: .milliseconds(5)
            )
            let running = Task { await keeper.run() }
            revocations.add(ids: ["a"])
            try await eventually("it is saved") {
                try await StateDatabase(path: path).load()?.ids.map(\.value) == ["a"]
            }
            revocations.add(ids: ["b"])
            running.cancel()
            await running.value
            #expect(try await StateDatabase(path: path).load()?.ids.map(\.value) == ["a", "b"])
        }
    }

    @Test("a file of before, without workflows, is read")
    func fileOfBefore() throws {
        let text =
            #"{"format": "swcelery worker state", "version": 1, "clock": 7, "revoked": [["a", 1.5]], "stamps": []}"#
        let state = try PersistedState(decoding: Array(text.utf8))
        #expect(state.ids.map(\.value) == ["a"])
        #expect(state.roots.isEmpty)
        let damaged = text.replacing("\"stamps\": []", with: "\"stamps\": [], \"roots\": [1]")
        #expect(throws: PersistedState.Unreadable.self) { try PersistedState(decoding: Array(damaged.utf8)) }
    }
}
