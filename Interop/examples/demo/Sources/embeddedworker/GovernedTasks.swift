import Celery
import CeleryWorker
import FoundationEssentials
import Logging

/// Tasks with rate limits, and tasks that change how their worker treats others.
///
/// `Interop/python/proj/governed.py` has the same ones for Python.
enum GovernedTasks {
    static func register(in tasks: inout TaskRegistry, _ holder: WorkerHolder) {
        registerWork(&tasks)
        registerGovernment(&tasks, holder)
    }

    private static func registerWork(_ tasks: inout TaskRegistry) {
        tasks.register("demo.add", arguments: "x", "y") { (x: Int, y: Int) in x &+ y }
        tasks.register("demo.sleep", arguments: "seconds") { (seconds: Double) in
            try await Task.sleep(for: .seconds(seconds))
            return seconds
        }
        tasks.register("governed.five_a_second", options: .init(rateLimit: .perSecond(5))) { (context: TaskContext) in
            Date().timeIntervalSince1970
        }
        tasks.register("governed.one_an_hour", options: .init(rateLimit: .perSecond(1.0 / 3600))) {
            (context: TaskContext) in Date().timeIntervalSince1970
        }
    }

    private static func registerGovernment(_ tasks: inout TaskRegistry, _ holder: WorkerHolder) {
        tasks.register("governed.revoke", arguments: "ids", "terminate") { (ids: [String], terminate: Bool) in
            try holder.worker().revoke(ids, terminate: terminate).count
        }
        tasks.register("governed.revoke_stamped", arguments: "name", "values") { (name: String, values: [String]) in
            try holder.worker().revoke(stamps: [name: values.map { .string($0) }]).count
        }
        tasks.register("governed.rate_limit", arguments: "task", "limit") { (task: String, limit: String) in
            try holder.worker().setRateLimit(RateLimit(limit), for: task)
        }
        tasks.register("governed.time_limit", arguments: "task", "hard") { (task: String, hard: Double) in
            try holder.worker().setTimeLimits(hard: .seconds(hard), soft: nil, for: task)
        }
    }
}
