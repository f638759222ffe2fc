import Celery
import CeleryProtocol
import Logging

/// A run inside of the worker's own process.
struct WorkerHost: TaskHost {
    let run: TaskRun
    let services: TaskServices

    var hostname: String { services.hostname }

    var children: [ResultTuple] { run.sentTasks }

    func logger(for envelope: TaskEnvelope) -> Logger { services.logger(for: envelope) }

    func updateState(_ state: TaskState, meta: JSONValue) async {
        services.finisher.postState(state, meta: meta, of: run)
        await services.finisher.waitForRoom()
    }

    func carry(_ headers: [String: String]) async { run.carry(headers) }

    func sendEvent(_ type: String, fields: JSONObject) async {
        var all: JSONObject = ["uuid": .string(run.request.id)]
        for (key, value) in fields where key != "uuid" { all[key] = value }
        // It comes after what happened to the task before.
        services.finisher.events.flush()
        let process = run.childProcess ?? ProcessIdentity.processID
        services.finisher.events.publish(type, fields: all, processID: process)
    }

    func send(_ signature: Signature, options: TaskOptions) async throws(CeleryError) -> String {
        try await services.sender.sendChild(signature, options: options, of: run)
    }

    func replace(with signature: Signature) async throws(CeleryError) {
        try await services.sender.sendReplacement(of: run, signature)
    }
}
