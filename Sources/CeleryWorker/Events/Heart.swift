import Celery
import CeleryProtocol
import FoundationEssentials

/// Tells by events that a worker lives: `worker-online`, `worker-heartbeat` and `worker-offline`.
///
/// Celery: `celery.worker.heartbeat.Heart`.
struct Heart: Sendable {
    let events: EventDispatcher
    /// From one heartbeat to the next.
    let interval: Duration
    let publisher: SidePublisher
    let pool: any ExecutionPool
    let counters: WorkerCounters

    /// Has `worker-online` sent whenever the worker is connected.
    func start() { publisher.onConnect { self.send("worker-online") } }

    /// Sends heartbeats until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            await Alarm.sleep(interval)
            // A heartbeat that waits for a connection would tell of a past that nobody asks for.
            if !Task.isCancelled, publisher.isConnected { send("worker-heartbeat") }
        }
    }

    /// Tells that the worker ends.
    func stop() {
        if publisher.isConnected { send("worker-offline") }
    }

    private func send(_ type: String) {
        var fields: JSONObject = [
            "freq": .double(interval.seconds),
            "active": .int(pool.runningCount),
            "processed": .int(counters.started.count),
            "loadavg": .array(LoadAverage.now.map(JSONValue.double)),
        ]
        for (key, value) in SoftwareInfo.fields { fields[key] = value }
        events.send(type, fields: fields)
    }
}

extension EventDispatcher {
    /// Sends a heartbeat that somebody has asked for by remote control.
    func sendHeartbeat() {
        var fields: JSONObject = ["freq": 5]
        for (key, value) in SoftwareInfo.fields { fields[key] = value }
        send("worker-heartbeat", fields: fields)
    }
}
