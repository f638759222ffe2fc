import ArgumentParser
import Celery
import CeleryTestKit
import CeleryWorker
import FoundationEssentials
import Testing

@testable import CeleryCommandLine

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A worker's health file, and what `check` makes of it.
@Suite struct HealthFileTests {
    private func withFolder(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "swcelery-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder)
    }

    private func report(
        process: Int32 = 7,
        time: Double = 100,
        hasStarted: Bool = true,
        obstacle: String? = nil
    ) -> HealthReport {
        HealthReport(process: process, hostname: "w@box", time: time, hasStarted: hasStarted, obstacle: obstacle)
    }

    private func verdict(
        _ question: HealthVerdict.Question,
        _ report: HealthReport,
        isRunning: Bool = true,
        now: Double = 101
    ) -> String {
        let verdict = HealthVerdict(question, report, isRunning: isRunning, now: now)
        return "\(verdict.status.code) \(verdict.text)"
    }

    private func reason(_ path: String) -> String? {
        guard case .unusable(let reason) = HealthFile.read(path) else { return nil }
        return reason
    }

    private func worker() throws -> Worker {
        var registry = TaskRegistry()
        registry.register("add", arguments: "x") { (x: Int) in x }
        return try Worker(
            broker: InMemoryBroker(),
            configuration: WorkerConfiguration(concurrency: 1, hostname: "w@box"),
            celery: CeleryConfiguration(),
            registry: registry,
            logger: LogRecorder().logger()
        )
    }

    // MARK: Verdicts

    @Test func aWorkerIsJudgedByItsReport() {
        #expect(verdict(.live, report()) == "0 w@box (pid 7) is live")
        #expect(verdict(.ready, report()) == "0 w@box (pid 7) is ready")
        #expect(verdict(.startup, report()) == "0 w@box (pid 7) has started")
        let early = report(hasStarted: false, obstacle: "starting: not connected to the broker")
        #expect(verdict(.live, early).hasPrefix("0 "))
        #expect(
            verdict(.ready, early) == "1 w@box (pid 7) is not ready: starting: not connected to the broker"
        )
        #expect(
            verdict(.startup, early) == "1 w@box (pid 7) has not started: starting: not connected to the broker"
        )
        #expect(verdict(.ready, report(obstacle: "shutting down")).hasPrefix("1 "))
        #expect(verdict(.startup, report(obstacle: "shutting down")).hasPrefix("0 "))
    }

    @Test func whatIsOldIsNotBelieved() {
        #expect(verdict(.live, report(), now: 109.9).hasPrefix("0 "))
        #expect(verdict(.live, report(), now: 111) == "1 w@box (pid 7) has not answered for 11 s")
        #expect(verdict(.ready, report(), now: 5_000).hasPrefix("1 "))
        #expect(verdict(.live, report(), isRunning: false) == "69 w@box (pid 7) does not run any more")
        #expect(verdict(.live, report(), now: 3).hasPrefix("69 "))
    }

    // MARK: Files

    @Test func aReportSurvivesItsText() {
        for original in [report(), report(hasStarted: false, obstacle: "starting: queue 'q' is not consumed")] {
            #expect(HealthReport(Array(original.text.utf8)) == original)
        }
        for text in ["", "{}", "[1]", "{\"version\": 2}", "no", String(repeating: "[", count: 10_000)] {
            #expect(HealthReport(Array(text.utf8)) == nil)
        }
    }

    @Test func aWorkerWritesAndRemovesItsFile() async throws {
        try await withFolder { folder in
            let path = "\(folder)/w.health"
            let worker = try worker()
            let file = try HealthFile(creating: path, for: worker)
            guard case .report(let first) = HealthFile.read(path) else { throw Missing() }
            #expect(first.process == getpid())
            #expect(first.hostname == "w@box")
            #expect(!first.hasStarted)
            #expect(first.obstacle == "starting: not connected to the broker")
            var found = stat()
            #expect(stat(path, &found) == 0)
            #expect(found.st_mode & 0o777 & ~0o644 == 0)
            let running = Task { try await worker.run() }
            await worker.waitUntilReady()
            file.start(worker, LogRecorder().logger())
            let deadline = ContinuousClock.now + .seconds(60)
            while HealthFile.read(path) == .report(first), ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(5))
            }
            guard case .report(let second) = HealthFile.read(path) else { throw Missing() }
            #expect(second.time > first.time)
            #expect(second.hasStarted)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["w.health"])
            worker.triggerShutdown()
            try await running.value
            await file.release()
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
        }
    }

    @Test func aFileThatCannotBeWrittenIsAnError() throws {
        let worker = try worker()
        let failure = #expect(throws: CommandFailure.self) {
            try HealthFile(creating: "/nonexistent/w.health", for: worker)
        }
        #expect(failure?.status.code == 73)
    }

    @Test func whatIsNoHealthFileIsSaid() async throws {
        try await withFolder { folder in
            let path = "\(folder)/w.health"
            #expect(reason(path)?.hasPrefix("There is no health file '\(path)'") == true)
            #expect(reason("/dev/null/x")?.hasPrefix("There is no health file") == true)
            #expect(reason(folder) == "'\(folder)' is no file")
            // A pipe without a writer would be waited for.
            #expect(mkfifo("\(folder)/pipe", 0o600) == 0)
            #expect(reason("\(folder)/pipe") == "'\(folder)/pipe' is no file")
            _ = FileManager.default.createFile(atPath: path, contents: Data("{}\n".utf8))
            #expect(reason(path) == "'\(path)' is no health file of a worker")
            #expect(chmod(path, 0o666) == 0)
            #expect(reason(path) == "'\(path)' can be written by others than its owner (mode 666)")
            #expect(chmod(path, 0o644) == 0)
            #expect(truncate(path, 1 << 20) == 0)
            #expect(reason(path) == "'\(path)' is no health file: too large")
            // Root may read everything.
            guard getuid() != 0 else { return }
            #expect(chmod(path, 0) == 0)
            #expect(reason(path)?.contains("may not be read") == true)
        }
    }

    @Test func aFileOfAnotherWorkerIsLeftAlone() async throws {
        try await withFolder { folder in
            let path = "\(folder)/w.health"
            let file = try HealthFile(creating: path, for: worker())
            _ = FileManager.default.createFile(atPath: path, contents: Data(report(process: 1).text.utf8))
            await file.release()
            #expect(HealthFile.read(path) == .report(report(process: 1)))
        }
    }

    @Test func processesThatAreGoneAreNotThere() {
        #expect(Pidfile.isThere(getpid()))
        #expect(Pidfile.isThere(1))
        #expect(!Pidfile.isThere(2_147_483_646))
    }

    // MARK: Options

    @Test func healthSettingsComeFromOptionsAndVariables() throws {
        func celery(_ arguments: [String], _ variables: [String: String] = [:]) throws -> CeleryConfiguration {
            let settings = try HealthSettings(
                options: HealthOptions.parse(arguments),
                node: NodeName.option("w@box"),
                variables: CommandEnvironment(variables)
            )
            return settings.apply(to: CeleryConfiguration())
        }
        #expect(try celery([]).changedSettings.isEmpty)
        let options = try celery(["--health-port", "0", "--health-address", "::1", "--health-file", "/run/%n.health"])
        #expect(options.workerHealthPort == 0)
        #expect(options.workerHealthAddress == "::1")
        #expect(options.workerHealthFile == "/run/w.health")
        let variables = try celery(
            [],
            ["CELERY_WORKER_HEALTH_PORT": "8080", "CELERY_WORKER_HEALTH_FILE": "/run/%h.health"]
        )
        #expect(variables.workerHealthPort == 8080)
        #expect(variables.workerHealthFile == "/run/box.health")
        #expect(throws: (any Error).self) { try HealthOptions.parse(["--health-port", "70000"]) }
        #expect(throws: CommandFailure.self) { try celery(["--health-file", "%x"]) }
    }

    @Test func anExecutableWithoutAnEndpointSaysSo() async throws {
        var celery = CeleryConfiguration()
        celery.workerHealthPort = 0
        let worker = try worker()
        do {
            _ = try await WorkerHealthOutlets(nil, celery, worker, LogRecorder().logger())
            Issue.record("it was opened")
        } catch let failure as CommandFailure {
            #expect(failure.status == .usage)
            #expect(failure.message.contains("CeleryHealth"))
        }
        let nothing = try await WorkerHealthOutlets(nil, CeleryConfiguration(), worker, LogRecorder().logger())
        #expect(nothing.endpoint == nil)
        #expect(nothing.file == nil)
    }

    private struct Missing: Error {}
}
