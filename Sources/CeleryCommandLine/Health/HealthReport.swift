import AMQPValues
import Celery
import CeleryProtocol
import CeleryWorker

/// What a worker says of itself in its health file: one line of JSON.
struct HealthReport: Sendable, Hashable {
    /// How often a worker says it.
    static let interval = Duration.seconds(2)
    /// From which age on a report is stale: the worker that wrote it does nothing any more.
    static let staleAfter = Duration.seconds(10)
    /// The largest file that is read.
    static let sizeLimit = 64 * 1_024
    private static let version = 1

    /// The id of the worker's process.
    let process: Int32
    /// The node name.
    let hostname: String
    /// When it was written: seconds since the system's start.
    let time: Double
    /// Whether all queues were consumed at one time.
    let hasStarted: Bool
    /// Why the worker is not ready; nil where it is.
    let obstacle: String?

    /// The text of the file.
    var text: String {
        let json: JSONValue = [
            "version": .int(Self.version), "pid": .int(Int(process)), "hostname": .string(hostname),
            "uptime": .double(time), "started": .bool(hasStarted), "ready": .bool(obstacle == nil),
            "reason": obstacle.map { .string($0) } ?? .null,
        ]
        return String(decoding: json.serialized(), as: UTF8.self) + "\n"
    }
}

extension HealthReport {
    /// What a worker has to say now.
    init(_ worker: Worker, process: Int32, time: Double) {
        let health = worker.health
        self.init(
            process: process,
            hostname: worker.hostname,
            time: time,
            hasStarted: health.hasStarted,
            obstacle: health.obstacle
        )
    }

    /// Reads the text of a file; nil where it is none of a worker of this kind.
    init?(_ bytes: [UInt8]) {
        guard let json = try? JSONValue(parsing: bytes), json["version"]?.intValue == Self.version,
            let process = json["pid"]?.intValue.flatMap({ Int32(exactly: $0) }), process > 0,
            let hostname = json["hostname"]?.stringValue, let time = json["uptime"]?.doubleValue,
            let hasStarted = json["started"]?.boolValue, let isReady = json["ready"]?.boolValue
        else { return nil }
        self.init(
            process: process,
            hostname: hostname,
            time: time,
            hasStarted: hasStarted,
            obstacle: isReady ? nil : json["reason"]?.stringValue ?? "no reason given"
        )
    }
}
