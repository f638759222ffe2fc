import AMQP
import Celery
import CeleryProtocol
import CeleryTestKit
import CeleryWorker
import FoundationEssentials
import PoolTasks
import Testing

/// Workers with real child processes, of the executable `PoolChild` that is built beside the tests.
enum PoolHarness {
    /// Where the executable is.
    static var executable: String {
        #if os(Linux)
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        #else
        let own = CommandLine.arguments[0]
        #endif
        return own.split(separator: "/").dropLast().map { "/\($0)" }.joined() + "/PoolChild"
    }

    /// Settings with which nothing fails for a slow machine.
    static func celery(_ change: (inout CeleryConfiguration) -> Void = { _ in }) -> CeleryConfiguration {
        var celery = CeleryConfiguration()
        celery.workerProcAliveTimeout = .seconds(60)
        change(&celery)
        return celery
    }

    static func configuration(concurrency: Int = 2, executable: String = Self.executable) -> WorkerConfiguration {
        var configuration = WorkerConfiguration(concurrency: concurrency, hostname: "pool@test", pool: .processes)
        configuration.childExecutable = executable
        return configuration
    }

    /// Runs a worker around the body, and ends it afterwards.
    static func run(
        concurrency: Int = 2,
        _ change: (inout CeleryConfiguration) -> Void = { _ in },
        _ body: (WorkerHarness) async throws -> Void
    ) async throws {
        try await WorkerHarness.run(
            configuration(concurrency: concurrency),
            celery: celery(change),
            register: { PoolTasks.register(in: &$0) },
            body
        )
    }
}

extension WorkerHarness {
    /// The failure that a task ended with.
    func failure(of id: String) async throws -> ExceptionInfo {
        let result = try await result(of: id)
        return try ExceptionInfo(decoding: result.result)
    }
}
