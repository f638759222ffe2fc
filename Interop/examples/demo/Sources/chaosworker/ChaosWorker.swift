import Celery
import CeleryCommandLine
import CeleryWorker
import FoundationEssentials
import Journal
import SharedTasks

/// The worker of the chaos run: one task, acknowledged late, that tells a journal when it begins and when it ends.
@main
struct ChaosWorker: CeleryApplication {
    /// Results survive a restart of the broker, as tasks do.
    static func configuration() throws -> CeleryConfiguration {
        var configuration = CeleryConfiguration()
        configuration.resultPersistent = true
        return configuration
    }

    static func register(_ tasks: inout TaskRegistry) throws {
        guard let path = ProcessInfo.processInfo.environment["CHAOS_JOURNAL"], let journal = Journal(path: path) else {
            throw MissingJournal()
        }
        let process = "\(ProcessInfo.processInfo.processIdentifier)"
        tasks.register(ChaosTasks.record, options: .init(acks: .late)) { _, label, milliseconds in
            journal.write("begin", label, process)
            try await Task.sleep(for: .milliseconds(milliseconds))
            journal.write("end", label, process)
            return label
        }
    }
}

/// `CHAOS_JOURNAL` names no file that can be written.
struct MissingJournal: Error {}
