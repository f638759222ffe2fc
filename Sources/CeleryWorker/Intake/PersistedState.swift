import CeleryProtocol
import FoundationEssentials

/// What of a worker's state outlives it, as the file of `--statedb` holds it.
///
/// One JSON object. Celery's own file is a pickled shelf, which only Python can read.
struct PersistedState: Sendable, Equatable {
    /// The bytes are none of this format, or of a later version of it.
    struct Unreadable: Error, CustomStringConvertible {
        let description: String
    }

    /// A revoked id, or a revoked value of a stamp, with the time of its revoke in seconds since 1970.
    struct Entry<Value: Sendable & Equatable>: Sendable, Equatable {
        let value: Value
        let time: Double
    }

    private static let format = "swcelery worker state"
    private static let version = 1

    /// The logical clock of events and remote control.
    var clock = 0
    /// Revoked ids, oldest first.
    var ids: [Entry<String>] = []
    /// Revoked values of stamps, oldest first.
    var stamps: [Entry<Revocations.Stamp>] = []
    /// Revoked workflows by their first tasks' ids, oldest first; a file of before has none.
    var roots: [Entry<String>] = []

    /// The bytes of the file.
    var encoded: [UInt8] {
        let object: JSONValue = [
            "format": .string(Self.format),
            "version": .int(Self.version),
            "clock": .int(clock),
            "revoked": .array(ids.map { [.string($0.value), .double($0.time)] }),
            "stamps": .array(stamps.map { [.string($0.value.name), $0.value.value, .double($0.time)] }),
            "roots": .array(roots.map { [.string($0.value), .double($0.time)] }),
        ]
        return object.serialized()
    }
}

extension PersistedState {
    /// Reads the bytes of a file.
    ///
    /// - Throws: `Unreadable`, or what the reader of JSON throws.
    init(decoding bytes: [UInt8]) throws {
        let object = try JSONValue(parsing: bytes)
        guard object["format"]?.stringValue == Self.format else {
            throw Unreadable(description: "it is not a state file of this kind of worker")
        }
        guard let version = object["version"]?.intValue, version == Self.version else {
            throw Unreadable(description: "its version is not \(Self.version)")
        }
        clock = object["clock"]?.intValue ?? 0
        ids = try Self.texts(object["revoked"])
        roots = try Self.texts(object["roots"] ?? [])
        stamps = try Self.elements(object["stamps"]).map { fields in
            guard fields.count == 3, let name = fields[0].stringValue else { throw Self.damaged }
            return Entry(value: Revocations.Stamp(name: name, value: fields[1]), time: try Self.time(fields[2]))
        }
    }

    private static var damaged: Unreadable { Unreadable(description: "a part of it is damaged") }

    private static func elements(_ list: JSONValue?) throws -> [[JSONValue]] {
        guard let elements = list?.arrayValue else { throw damaged }
        return try elements.map { element in
            guard let fields = element.arrayValue else { throw damaged }
            return fields
        }
    }

    private static func texts(_ list: JSONValue?) throws -> [Entry<String>] {
        try elements(list).map { fields in
            guard fields.count == 2, let text = fields[0].stringValue else { throw damaged }
            return Entry(value: text, time: try time(fields[1]))
        }
    }

    private static func time(_ value: JSONValue) throws -> Double {
        guard let time = value.doubleValue, time.isFinite else { throw damaged }
        return time
    }
}

// MARK: - Revocations

extension PersistedState {
    /// The state with these revokes, whose times are told from the present.
    init(clock: Int, _ revocations: Revocations.Snapshot, now: ContinuousClock.Instant, date: Date) {
        let present = date.timeIntervalSince1970
        self.clock = clock
        ids = revocations.ids.map { Entry(value: $0.element, time: present - (now - $0.time).seconds) }
        stamps = revocations.stamps.map { Entry(value: $0.element, time: present - (now - $0.time).seconds) }
        roots = revocations.roots.map { Entry(value: $0.element, time: present - (now - $0.time).seconds) }
    }

    /// The revokes; those of the future, after a clock was set back, count as of the present.
    func revocations(now: ContinuousClock.Instant, date: Date) -> Revocations.Snapshot {
        let present = date.timeIntervalSince1970
        func instant(_ time: Double) -> ContinuousClock.Instant { now - .seconds(min(max(0, present - time), 1e9)) }
        return Revocations.Snapshot(
            ids: ids.map { ($0.value, instant($0.time)) },
            stamps: stamps.map { ($0.value, instant($0.time)) },
            roots: roots.map { ($0.value, instant($0.time)) }
        )
    }
}
