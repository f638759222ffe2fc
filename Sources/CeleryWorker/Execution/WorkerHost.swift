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

    func send(_ signature: Signature, options: TaskOptions) async throws(CeleryError) -> String {
        try await services.sender.sendChild(signature, options: options, of: run)
    }

    func replace(with signature: Signature) async throws(CeleryError) {
        try await services.sender.sendReplacement(of: run, signature)
    }
}
