import CeleryProtocol
import Foundation

/// The committed captures of messages that real Celery clients and workers have sent.
enum GoldenCorpus {
    /// Families that have to be there; the key of a file is the start of its name.
    static let families = [
        "task_", "send_", "signature_", "serializer_json", "v1_", "result_", "chain_", "route_", "timezone_", "retry_",
        "worker_chain_", "link_", "worker_link",
    ]

    /// The cases that the committed index lists.
    ///
    /// Empty where the index cannot be read, which a test of its own reports.
    static let names: [String] = (try? indexedNames()) ?? []

    /// Cases of protocol 2, which task tests go through.
    static let taskNames = names.filter { !$0.hasPrefix("result_") && !$0.hasPrefix("v1_") }

    /// Results in JSON.
    static let resultNames = names.filter { $0.hasPrefix("result_") && Expectation(of: $0) != .refused }

    static func indexedNames() throws -> [String] {
        guard let entries = try json(of: "index.json").arrayValue else { throw GoldenError("the index is no list") }
        return try entries.map { entry in
            guard let file = entry["file"]?.stringValue else { throw GoldenError("an entry of the index has no file") }
            return String(file.dropLast(".json".count))
        }
    }

    static func committedNames() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder().path)
            .filter { $0 != "index.json" }
            .map { String($0.dropLast(".json".count)) }
            .sorted()
    }

    static func load(_ name: String) throws -> GoldenCase {
        try GoldenCase(name: name, capture: json(of: name + ".json"))
    }

    private static func json(of file: String) throws -> JSONValue {
        let bytes = try Data(contentsOf: folder().appendingPathComponent(file))
        return try JSONValue(parsing: Array(bytes))
    }

    private static func folder() throws -> URL {
        guard let folder = Bundle.module.url(forResource: "Golden", withExtension: nil) else {
            throw GoldenError("the folder Golden is not among the test's resources")
        }
        return folder
    }
}
