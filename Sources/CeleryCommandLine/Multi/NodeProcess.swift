import CSystemShims
import FoundationEssentials

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The processes of `multi`'s workers, as the system has them.
protocol NodeProcesses: Sendable {
    /// The process id in a node's pidfile; nil where there is none.
    func process(of node: MultiNode) -> Int32?
    /// Sends a signal; answers whether there is such a process.
    func send(_ signal: Int32, to process: Int32) -> Bool
    /// Whether the process runs, and may be signalled.
    func isRunning(_ process: Int32) -> Bool
    /// Starts a node and waits until its worker is up: the exit code, and above 128 the number of the signal that ended it.
    func start(_ node: MultiNode) throws -> Int32
    /// Lets time pass between two looks.
    func pause() async throws
}

/// Processes of this machine.
struct SystemNodeProcesses: NodeProcesses {
    /// Celery's wait between two looks at processes that are to end.
    private static let interval = Duration.seconds(2)

    func process(of node: MultiNode) -> Int32? { Pidfile.process(in: node.pidfile) }

    func send(_ signal: Int32, to process: Int32) -> Bool { kill(process, signal) == 0 }

    func isRunning(_ process: Int32) -> Bool { Pidfile.isRunning(process) }

    func pause() async throws { try await Task.sleep(for: Self.interval) }

    func start(_ node: MultiNode) throws -> Int32 {
        for path in [node.pidfile, node.logfile] { try Self.makeFolder(of: path) }
        let vector = ([node.executable] + node.arguments).map { strdup($0) } + [nil]
        let variables = ProcessInfo.processInfo.environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer {
            for copy in vector + variables { free(copy) }
        }
        var process: pid_t = 0
        let status = posix_spawnp(&process, node.executable, nil, nil, vector, variables)
        guard status == 0 else {
            throw CommandFailure("Cannot start '\(node.executable)': error \(status) of the system (errno)")
        }
        return swc_child_exit_code(process)
    }

    private static func makeFolder(of path: String) throws {
        guard let end = path.lastIndex(of: "/"), end > path.startIndex else { return }
        let folder = String(path[..<end])
        guard !FileManager.default.fileExists(atPath: folder) else { return }
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw CommandFailure("Cannot make the folder '\(folder)': \(error)", status: .cannotCreate)
        }
    }
}
