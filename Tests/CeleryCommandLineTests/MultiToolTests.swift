import CeleryWorker
import Synchronization
import Testing

@testable import CeleryCommandLine

/// What `multi` does and says, with processes that are only thought of.
@Suite struct MultiToolTests {
    /// Processes of nodes, each of which ends some looks after a signal.
    private final class Processes: NodeProcesses {
        struct State {
            var running: [String: Int32] = [:]
            var ending: [Int32: Int] = [:]
            var signals: [String] = []
            var started: [String] = []
            var next: Int32 = 100
            var pauses = 0
        }

        let state = Mutex(State())
        /// Exit codes of starts, by the node's name.
        let codes: [String: Int32]

        init(running: [String: Int32] = [:], codes: [String: Int32] = [:]) {
            state.withLock { $0.running = running }
            self.codes = codes
        }

        func process(of node: MultiNode) -> Int32? { state.withLock { $0.running[node.name] } }

        func send(_ signal: Int32, to process: Int32) -> Bool {
            state.withLock { state in
                state.signals.append("\(signal)->\(process)")
                // A process of this number is gone, with its pidfile left behind.
                guard process != 1 else { return false }
                state.ending[process] = Int(process % 3)
                return true
            }
        }

        func isRunning(_ process: Int32) -> Bool {
            state.withLock { state in
                guard let looks = state.ending[process] else { return true }
                state.ending[process] = looks - 1
                return looks > 0
            }
        }

        func start(_ node: MultiNode) throws -> Int32 {
            state.withLock { state in
                state.started.append(node.name)
                state.next += 1
                state.running[node.name] = state.next
            }
            return codes[node.name] ?? 0
        }

        func pause() async throws { state.withLock { $0.pauses += 1 } }
    }

    private func run(_ processes: Processes, _ arguments: String...) async throws -> (String, Bool) {
        let said = Mutex("")
        let tool = MultiTool(
            launcher: .init(executable: "swcelery", machine: "vm"),
            processes: processes,
            voice: MultiVoice(write: { text in said.withLock { $0 += text } }),
            help: "HELP",
            splash: "multi v1"
        )
        let isSuccess = try await tool.run(arguments)
        return (said.withLock { $0 }, isSuccess)
    }

    @Test func startTellsOfEachNode() async throws {
        let processes = Processes(codes: ["b@vm": 73, "c@vm": 137])
        let (text, isSuccess) = try await run(processes, "start", "a", "b", "c")
        #expect(
            text == """
                multi v1
                > Starting nodes...
                \t> a@vm: OK
                \t> b@vm: * Child terminated with exit code 73
                FAILED
                \t> c@vm: * Child was terminated by signal 9
                FAILED

                """
        )
        #expect(!isSuccess)
    }

    @Test func stopSignalsAndDoesNotWait() async throws {
        let processes = Processes(running: ["a@vm": 11, "c@vm": 1])
        let (text, isSuccess) = try await run(processes, "stop", "a", "b", "c", "-QUIT", "--nosplash")
        #expect(
            text == """
                > b@vm: DOWN
                > Stopping nodes...
                \t> a@vm: SIGQUIT -> 11
                \t> c@vm: SIGQUIT -> 1
                Could not signal c@vm (1): No such process
                > c@vm: DOWN

                """
        )
        #expect(isSuccess)
        #expect(processes.state.withLock { $0.pauses } == 0)
    }

    @Test func stopwaitWaitsForAll() async throws {
        let processes = Processes(running: ["a@vm": 10, "b@vm": 11])
        let (text, _) = try await run(processes, "stopwait", "a", "b")
        #expect(text.contains("> Waiting for 2 nodes -> 10, 11..."))
        #expect(text.contains("\n\t> a@vm: OK\n> a@vm: DOWN\n> Waiting for 1 node -> 11..."))
        #expect(text.contains("\n\t> b@vm: OK\n> b@vm: DOWN\n"))
        #expect(processes.state.withLock { $0.pauses } == 2)
    }

    @Test func restartStartsWhatHasEndedAndWhatWasDown() async throws {
        let processes = Processes(running: ["a@vm": 10])
        let (text, isSuccess) = try await run(processes, "restart", "a", "b", "-INT")
        #expect(isSuccess)
        #expect(processes.state.withLock { $0.started } == ["b@vm", "a@vm"])
        #expect(processes.state.withLock { $0.signals } == ["2->10"])
        #expect(text.contains("> Restarting node a@vm: OK"))
    }

    @Test func killKills() async throws {
        let processes = Processes(running: ["a@vm": 10])
        let (text, _) = try await run(processes, "kill", "a", "b")
        #expect(text.hasSuffix("> b@vm: DOWN\nSending SIGKILL to node a@vm (10)\n") || text.contains("SIGKILL"))
        #expect(processes.state.withLock { $0.signals } == ["9->10"])
    }

    @Test func questionsAreAnsweredWithoutASplash() async throws {
        let processes = Processes()
        #expect(try await run(processes, "names", "a", "b@x").0 == "a@vm\nb@x\n")
        #expect(try await run(processes, "expand", "%n.pid", "2").0 == "celery1.pid\ncelery2.pid\n")
        let (arguments, _) = try await run(
            processes,
            "get",
            "a@vm",
            "a",
            "-c",
            "2",
            "-Q",
            "x y",
            "--pidfile=p",
            "-f",
            "l"
        )
        #expect(arguments == "worker --detach -c 2 -Q 'x y' --pidfile=p -f l -n a@vm\n")
        #expect(try await !run(processes, "get", "other", "a").1)
        #expect(
            try await run(processes, "show", "a", "--pidfile=p", "-f", "l").0.hasPrefix("swcelery worker --detach ")
        )
        #expect(try await run(processes, "help").0 == "HELP\n")
        #expect(processes.state.withLock { $0.started.isEmpty })
    }

    @Test func quietSaysNothing() async throws {
        #expect(try await run(Processes(), "start", "a", "-q").0.isEmpty)
        #expect(try await run(Processes(), "start", "a", "--verbose").0.contains("  swcelery worker --detach -n a@vm "))
    }

    @Test(arguments: [[], ["-c", "3"], ["nonsense", "3"], ["start"], ["start", "0"], ["expand"], ["get"]])
    func otherCommandsAreRefused(arguments: [String]) async throws {
        let tool = MultiTool(
            launcher: .init(executable: "swcelery", machine: "vm"),
            processes: Processes(),
            voice: MultiVoice(write: { _ in }),
            help: "",
            splash: ""
        )
        await #expect(throws: OptionError.self) { try await tool.run(arguments) }
    }

    @Test func optionsBeforeTheCommandAreThoseOfTheWorkers() {
        #expect(
            MultiCommand<Sample>.turned(["-b", "amqp://h", "multi", "start", "2"], orElse: [])
                == ["start", "2", "-b", "amqp://h"]
        )
        #expect(MultiCommand<Sample>.turned(nil, orElse: ["names", "2"]) == ["names", "2"])
    }
}

private struct Sample: CeleryApplication {
    static func register(_ tasks: inout TaskRegistry) throws {}
}
