import Celery
import FoundationEssentials
import Logging
import Synchronization

/// Takes a worker's state out of its file at the start, and puts it back from time to time and at the end.
///
/// Whatever is wrong with the file, the worker goes on: without what was in it, or without saving.
final class StateKeeper: Sendable {
    private struct State {
        var clock = 0
        var savedChanges: UInt64 = 0
        var hasFailed = false
        /// Whether there is a file that could not be opened: it may be whole, and is left alone.
        var isBarred = false
    }

    /// How often changes are saved.
    static let usualInterval = Duration.seconds(60)

    private let database: StateDatabase
    private let revocations: Revocations
    private let logger: Logger
    private let interval: Duration
    private let state = Mutex(State())

    init(path: String, revocations: Revocations, logger: Logger, interval: Duration = StateKeeper.usualInterval) {
        database = StateDatabase(path: path)
        self.revocations = revocations
        self.logger = logger
        self.interval = interval
    }

    private var metadata: Logger.Metadata { ["file": "\(database.path)"] }

    /// Adds what the file holds to the worker's state.
    func load() async {
        do {
            guard let found = try await database.load() else { return }
            revocations.merge(found.revocations(now: .now, date: Date()))
            let changes = revocations.changes
            state.withLock { state in
                state.clock = found.clock
                state.savedChanges = changes
            }
            logger.debug("Read the state of an earlier run", metadata: metadata)
        } catch let error as PersistedState.Unreadable {
            await setAside(error)
        } catch {
            state.withLock { $0.isBarred = true }
            logger.error(
                "The worker's state cannot be read, going on without it and without saving",
                metadata: metadata.merging(["error": "\(error)"]) { $1 }
            )
        }
    }

    /// Saves changes until the task is cancelled, then once more.
    func run() async {
        while !Task.isCancelled {
            await Alarm.sleep(interval)
            await save()
        }
        // What has changed while the last save was under way.
        await save()
    }

    /// Saves the state if it has changed.
    func save() async {
        let changes = revocations.changes
        let (clock, isSaved) = state.withLock { ($0.clock, $0.isBarred || $0.savedChanges == changes) }
        guard !isSaved else { return }
        do {
            try await database.save(PersistedState(clock: clock, revocations.snapshot, now: .now, date: Date()))
            state.withLock { state in
                state.savedChanges = changes
                state.hasFailed = false
            }
        } catch {
            let isFirst = state.withLock { state in
                defer { state.hasFailed = true }
                return !state.hasFailed
            }
            guard isFirst else { return }
            logger.error("The worker's state cannot be saved", metadata: metadata.merging(["error": "\(error)"]) { $1 })
        }
    }

    private func setAside(_ error: any Error) async {
        var metadata = metadata
        metadata["error"] = "\(error)"
        do {
            try await database.setAside()
            metadata["kept_as"] = "\(database.damagedPath)"
        } catch {
            logger.debug("a state file cannot be renamed", metadata: ["error": "\(error)"])
        }
        logger.warning("The worker's state cannot be read, going on without", metadata: metadata)
    }
}
