import AMQP
import Celery
import CeleryProtocol

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// What `inspect stats` tells of a worker (`celery.worker.WorkController.stats`).
struct WorkerStats {
    let worker: Worker

    /// The map, in Celery's order.
    var json: JSONValue {
        let parts = worker.parts
        let uptime = parts.birth.duration(to: .now).seconds.rounded()
        var stats: JSONObject = [
            "total": total,
            "pid": .int(ProcessIdentity.processID),
            "clock": .string("\(parts.clock.value)"),
            "uptime": .int(Int(uptime)),
            "pool": pool,
        ]
        if let bounds = parts.pool.autoscale { stats["autoscaler"] = autoscaler(bounds) }
        stats["broker"] = BrokerInfo(parts.celery).json
        stats["prefetch_count"] = .int(parts.consuming.taskCredit)
        stats["rusage"] = ResourceUsage.json
        return .object(stats)
    }

    /// How many runs of each task have begun.
    private var total: JSONValue {
        var total: JSONObject = [:]
        for task in worker.parts.dispatching.tasks.all where task.accepted.count > 0 {
            total[task.name] = .int(task.accepted.count)
        }
        return .object(total)
    }

    private func autoscaler(_ bounds: Autoscale) -> JSONValue {
        [
            "max": .int(bounds.max),
            "min": .int(bounds.min),
            "current": .int(worker.pool.concurrency),
            "qty": .int(worker.parts.pool.running.count + worker.parts.pool.waiting.count),
        ]
    }

    private var pool: JSONValue {
        let status = worker.pool
        let concurrency = JSONValue.int(status.concurrency)
        switch worker.parts.configuration.pool {
        case .processes: return processes(status)
        case .tasks:
            return ["implementation": "swcelery:TaskPool", "max-concurrency": concurrency, "threads": concurrency]
        case .solo:
            return [
                "implementation": "swcelery:SoloPool",
                "max-concurrency": 1,
                "processes": [.int(ProcessIdentity.processID)],
                "max-tasks-per-child": .null,
                "put-guarded-by-semaphore": true,
                "timeouts": [],
            ]
        }
    }

    private func processes(_ status: PoolStatus) -> JSONValue {
        let celery = worker.parts.celery
        let children = status.children.filter { $0.phase != .ending }
        let most = celery.workerMaxTasksPerChild.flatMap { $0 > 0 ? $0 : nil }
        return [
            "implementation": "swcelery:ProcessPool",
            "max-concurrency": .int(status.concurrency),
            "processes": .array(children.map { .int($0.pid) }),
            "max-tasks-per-child": most.map(JSONValue.int) ?? "N/A",
            "put-guarded-by-semaphore": false,
            "timeouts": [.seconds(celery.taskSoftTimeLimit ?? .zero), .seconds(celery.taskTimeLimit ?? .zero)],
            "writes": Self.writes(children),
        ]
    }

    /// How the tasks were spread over the children, as billiard's `human_write_stats` tells.
    private static func writes(_ children: [PoolStatus.Child]) -> JSONValue {
        let counts = children.map(\.tasks)
        let total = counts.reduce(0, +)
        let used = counts.filter { $0 > 0 }
        let shares = used.map { fixed(Double($0) / Double(total)) }
        return [
            "total": .int(total),
            "avg": .string(fixed(used.isEmpty ? 0 : 1 / Double(used.count))),
            "all": .string(shares.joined(separator: ", ")),
            "raw": .string(used.map(String.init).joined(separator: ", ")),
            "strategy": "fair",
            "inqueues": [
                "total": .int(children.count), "active": .int(children.count { $0.phase == .busy }),
            ],
        ]
    }

    /// A number with two digits behind the point.
    private static func fixed(_ number: Double) -> String {
        let hundredths = Int((number * 100).rounded())
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}

/// What `inspect stats` tells of the broker: `kombu.Connection.info`.
struct BrokerInfo {
    private let celery: CeleryConfiguration

    init(_ celery: CeleryConfiguration) { self.celery = celery }

    var json: JSONValue {
        let addresses = (try? AMQPURI.parse(celery.brokerReadURL ?? celery.brokerURL)) ?? []
        let first = addresses.first ?? AMQPURI()
        return [
            "hostname": .string(first.host),
            "userid": .string(first.userName),
            "virtual_host": .string(first.virtualHost),
            "port": .int(first.port),
            "insist": false,
            "ssl": .bool(first.tls || celery.brokerUseSSL != nil),
            "transport": first.tls ? "amqps" : "amqp",
            "connect_timeout": .seconds(celery.brokerConnectionTimeout),
            "transport_options": [:],
            "login_method": .string(celery.brokerLoginMethod.rawValue),
            "uri_prefix": .null,
            "heartbeat": .double(celery.brokerHeartbeat.seconds),
            "failover_strategy": .string(celery.brokerFailoverStrategy.rawValue),
            "alternates": .array(addresses.dropFirst().map { .string($0.redacted) }),
            "credential_provider": .null,
        ]
    }
}

/// What the system tells of this process: `getrusage`.
enum ResourceUsage {
    #if canImport(Glibc)
    private static let who = __rusage_who_t(RUSAGE_SELF.rawValue)
    #else
    private static let who = RUSAGE_SELF
    #endif

    /// The map as `celery.worker.WorkController.rusage` makes it.
    static var json: JSONValue {
        var usage = rusage()
        guard getrusage(who, &usage) == 0 else { return "N/A" }
        return [
            "utime": .double(seconds(usage.ru_utime)),
            "stime": .double(seconds(usage.ru_stime)),
            "maxrss": .int(usage.ru_maxrss),
            "ixrss": .int(usage.ru_ixrss),
            "idrss": .int(usage.ru_idrss),
            "isrss": .int(usage.ru_isrss),
            "minflt": .int(usage.ru_minflt),
            "majflt": .int(usage.ru_majflt),
            "nswap": .int(usage.ru_nswap),
            "inblock": .int(usage.ru_inblock),
            "oublock": .int(usage.ru_oublock),
            "msgsnd": .int(usage.ru_msgsnd),
            "msgrcv": .int(usage.ru_msgrcv),
            "nsignals": .int(usage.ru_nsignals),
            "nvcsw": .int(usage.ru_nvcsw),
            "nivcsw": .int(usage.ru_nivcsw),
        ]
    }

    private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
}
