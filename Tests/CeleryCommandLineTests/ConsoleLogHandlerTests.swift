import FoundationEssentials
import Logging
import Testing

@testable import CeleryCommandLine

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

@Suite struct ConsoleLogHandlerTests {
    /// Runs with a handler factory that writes to a file, and returns what was written.
    private func captured(
        level: Logger.Level,
        provider: Logger.MetadataProvider? = nil,
        _ body: (Logger) async -> Void
    ) async throws -> [String] {
        let path = FileManager.default.temporaryDirectory.appending(path: "swcelery-log-\(UUID().uuidString)").path
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        try #require(descriptor >= 0)
        defer {
            close(descriptor)
            try? FileManager.default.removeItem(atPath: path)
        }
        let factory = ConsoleLogHandler.factory(
            level: level,
            isColored: false,
            stream: ConsoleStream(descriptor: descriptor)
        )
        await body(Logger(label: "test") { _ in factory("test", provider) })
        return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
    }

    @Test func linesBelowTheLevelAreLeftOut() async throws {
        let lines = try await captured(level: .warning) { logger in
            logger.info("quiet")
            logger.warning("loud")
        }
        #expect(lines.count == 1)
        #expect(lines.first?.hasSuffix("WARNING/MainProcess] loud") == true)
    }

    @Test func metadataOfLoggerProviderAndLineAreMerged() async throws {
        let provider = Logger.MetadataProvider { ["a": "provider", "b": "provider"] }
        let lines = try await captured(level: .info, provider: provider) { logger in
            var logger = logger
            logger[metadataKey: "a"] = "logger"
            logger[metadataKey: "c"] = "logger"
            logger.info("x", metadata: ["b": "line"])
        }
        #expect(lines.first?.hasSuffix("] x a=provider b=line c=logger") == true)
    }

    @Test func linesOfConcurrentTasksNeverMix() async throws {
        let text = String(repeating: "x", count: 200)
        let lines = try await captured(level: .info) { logger in
            await withTaskGroup(of: Void.self) { group in
                for task in 0..<8 {
                    group.addTask {
                        for _ in 0..<100 { logger.info("\(task) \(text)") }
                    }
                }
            }
        }
        #expect(lines.count == 800)
        #expect(lines.allSatisfy { $0.hasPrefix("[") && $0.hasSuffix(text) })
    }
}
