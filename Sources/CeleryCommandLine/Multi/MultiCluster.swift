/// The workers of one `multi` command, started and ended together; what it says is Celery's.
///
/// Source of the rules: `Cluster` of `celery.apps.multi`.
struct MultiCluster<Processes: NodeProcesses>: Sendable {
    let nodes: [MultiNode]
    let processes: Processes
    let voice: MultiVoice

    /// A worker that is to end.
    private struct Running {
        let node: MultiNode
        let process: Int32
    }

    /// Starts all nodes, one after the other; answers whether all came up.
    func start() -> Bool {
        voice.note("> Starting nodes...")
        var isSuccess = true
        for node in nodes {
            voice.note("\t> \(node.name): ", newline: false)
            isSuccess = start(node) && isSuccess
        }
        return isSuccess
    }

    /// Sends the signal to all nodes; with `waits` until they have ended.
    func stop(_ signal: NodeSignal, waits: Bool) async throws {
        try await end(signal, waits: waits) { voice.note("> \($0.name): \(voice.down)") }
    }

    /// Ends each node and starts it when it has ended; answers whether all came up.
    func restart(_ signal: NodeSignal) async throws -> Bool {
        var isSuccess = true
        try await end(signal, waits: true) { node in
            voice.note(voice.blue("> Restarting node \(node.name): "), newline: false)
            isSuccess = start(node) && isSuccess
        }
        return isSuccess
    }

    /// Kills all nodes.
    func kill() {
        for running in running(onDown: { voice.note("> \($0.name): \(voice.down)") }) {
            voice.note("Sending \(NodeSignal.kill.name) to node \(running.node.name) (\(running.process))")
            _ = send(.kill, to: running)
        }
    }

    private func start(_ node: MultiNode) -> Bool {
        voice.info("  \(([node.executable] + node.arguments).joined(separator: " "))")
        let isSuccess: Bool
        do {
            let code = try processes.start(node)
            if code > 128 {
                voice.note("* Child was terminated by signal \(code - 128)")
            } else if code != 0 {
                voice.note("* Child terminated with exit code \(code)")
            }
            isSuccess = code == 0
        } catch {
            voice.note("* \(error)")
            isSuccess = false
        }
        voice.note(isSuccess ? voice.ok : voice.failed)
        return isSuccess
    }

    private func running(onDown: (MultiNode) -> Void) -> [Running] {
        nodes.compactMap { node in
            guard let process = processes.process(of: node) else {
                onDown(node)
                return nil
            }
            return Running(node: node, process: process)
        }
    }

    private func send(_ signal: NodeSignal, to running: Running) -> Bool {
        if processes.send(signal.number, to: running.process) { return true }
        voice.note("Could not signal \(running.node.name) (\(running.process)): No such process")
        return false
    }

    private func end(_ signal: NodeSignal, waits: Bool, onDown: (MultiNode) -> Void) async throws {
        let found = running(onDown: onDown)
        guard !found.isEmpty else { return }
        voice.note(voice.blue("> Stopping nodes..."))
        var left: [Running] = []
        for running in found {
            voice.note("\t> \(running.node.name): \(signal.name) -> \(running.process)")
            if send(signal, to: running) { left.append(running) } else { onDown(running.node) }
        }
        if waits { try await wait(for: left, onDown: onDown) }
    }

    private func wait(for running: [Running], onDown: (MultiNode) -> Void) async throws {
        var left = running
        announce(left)
        while !left.isEmpty {
            for candidate in left {
                voice.note(".", newline: false)
                guard !processes.isRunning(candidate.process) else { continue }
                voice.note("\n\t> \(candidate.node.name): \(voice.ok)")
                onDown(candidate.node)
                left.removeAll { $0.process == candidate.process }
                announce(left)
            }
            if !left.isEmpty { try await processes.pause() }
        }
        voice.note("")
    }

    private func announce(_ left: [Running]) {
        guard !left.isEmpty else { return }
        let noun = left.count == 1 ? "node" : "nodes"
        let processes = left.map { "\($0.process)" }.joined(separator: ", ")
        voice.note(voice.blue("> Waiting for \(left.count) \(noun) -> \(processes)..."), newline: false)
    }
}

/// A signal that `multi` sends.
struct NodeSignal: Sendable, Hashable {
    let number: Int32
    /// The name with `SIG`, or the number.
    let name: String
}
