import CeleryProtocol
import FoundationEssentials
import Testing

@testable import Celery

@Suite("Every capture of the canvas is covered by a test")
struct GoldenFamilyTests {
    private static let families = [
        "chain_", "group_", "chord_", "link_", "map", "starmap", "chunks", "stamp_", "signature_", "worker_",
        "result_chain", "result_group", "result_link", "result_errback", "result_replace",
    ]

    /// Captures that tests of other kinds cover, with the file of the test, which names them.
    private static let elsewhere: [String: String] = [
        "result_chain_failure": "CeleryWorkerTests/Outcomes/GoldenResultTests.swift",
        "result_chain_next": "CeleryWorkerTests/Outcomes/GoldenResultTests.swift",
        "result_chain_next_priority": "CeleryWorkerTests/Outcomes/GoldenResultTests.swift",
        "result_errback_by_id": "CeleryWorkerTests/Outcomes/GoldenResultTests.swift",
        "result_errback_inline": "CeleryWorkerTests/Outcomes/GoldenResultTests.swift",
        "result_errback_unknown": "CeleryWorkerTests/Outcomes/GoldenResultTests.swift",
        "result_group_member": "CeleryWorkerTests/Outcomes/GoldenResultTests.swift",
        "result_link": "CeleryWorkerTests/Outcomes/GoldenResultTests.swift",
        "result_link_chain": "CeleryWorkerTests/Outcomes/GoldenResultTests.swift",
        "result_link_group": "CeleryWorkerTests/Outcomes/GoldenResultTests.swift",
        "result_link_many": "CeleryWorkerTests/Outcomes/GoldenResultTests.swift",
    ]

    /// Captures of what is never sent here.
    private static let never: [String: String] = [
        "chord_unlock_retry": "a collector takes the place of the task celery.chord_unlock",
        "result_replace_group": "Celery refuses on rpc:// what is a chord over AMQP here",
    ]

    @Test func everyFileIsCovered() throws {
        let files = try Capture.names().filter { file in Self.families.contains { file.hasPrefix($0) } }
        #expect(files.count >= 123)
        let covered = Set(GoldenTests.cases.map(\.name)).union(GoldenWorkflow.all.map(\.name))
            .union(GoldenTests.furtherMembers).union(Self.elsewhere.keys).union(Self.never.keys)
        for file in files {
            let family = String(file.prefix { $0 != "." })
            #expect(covered.contains(file) || covered.contains(family), "\(file) is covered by no test")
        }
        for name in covered.subtracting(GoldenTests.cases.map(\.name)) {
            #expect(files.contains { $0 == name || $0.hasPrefix(name + ".") }, "\(name) is no capture")
        }
    }

    @Test func otherTestsNameTheirCaptures() throws {
        let tests = URL(filePath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        for (name, file) in Self.elsewhere {
            let source = try String(contentsOf: tests.appending(path: file), encoding: .utf8)
            #expect(source.contains("\"\(name)\""), "\(name) in \(file)")
        }
    }
}
