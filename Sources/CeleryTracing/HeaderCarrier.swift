import AMQPValues
import Instrumentation

/// Writes what a tracer injects into the headers of a message.
struct HeaderInjector: Injector {
    /// What stands before each name; nothing in the headers that Python's instrumentation reads.
    var prefix = ""

    func inject(_ value: String, forKey key: String, into carrier: inout FieldTable) {
        carrier[prefix + key] = .string(value)
    }
}

/// Reads for a tracer from the headers of a message.
struct HeaderExtractor: Extractor {
    var prefix = ""

    func extract(key: String, from carrier: FieldTable) -> String? { carrier[prefix + key]?.stringValue }
}

/// Writes what a tracer injects into what a run carries along.
struct TrailInjector: Injector {
    func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) {
        carrier[RunTrail.prefix + key] = value
    }
}
