import AMQPValues
import Celery
import CeleryProtocol
import Synchronization

/// Which tasks are revoked: ids, values of stamps, and whole workflows by the ids of their roots.
///
/// Asked for every task that is delivered and started, from any thread: while nothing is revoked, at the cost of one load.
/// Source of the rules: `revoked` and `revoked_stamps` in Celery's `celery.worker.state`; unlike there, the stamps are
/// bounded, too. Celery knows no revoke of a workflow.
final class Revocations: Sendable {
    /// A stamp's name with one of its values.
    struct Stamp: Sendable, Hashable {
        let name: String
        let value: JSONValue
    }

    /// Why a task is revoked.
    enum Match: Sendable, Hashable {
        /// Its id is.
        case id
        /// One of its stamps is.
        case stamp(Stamp)
        /// The workflow that it belongs to is.
        case root(String)
    }

    /// What a file or another worker gets, oldest first.
    struct Snapshot: Sendable {
        var ids: [(element: String, time: ContinuousClock.Instant)] = []
        var stamps: [(element: Stamp, time: ContinuousClock.Instant)] = []
        var roots: [(element: String, time: ContinuousClock.Instant)] = []
    }

    private struct State {
        var ids: LimitedSet<String>
        var stamps: LimitedSet<Stamp>
        var roots: LimitedSet<String>
        var changes: UInt64 = 0
    }

    private let state: Mutex<State>
    private let isUsed = Atomic(false)

    init(_ limits: RevocationLimits = RevocationLimits()) {
        state = Mutex(
            State(
                ids: LimitedSet(capacity: limits.capacity, expiry: limits.expiry),
                stamps: LimitedSet(capacity: limits.capacity, expiry: limits.expiry),
                roots: LimitedSet(capacity: limits.capacity, expiry: limits.expiry)
            )
        )
    }

    /// Whether nothing was ever revoked.
    var isEmpty: Bool { !isUsed.load(ordering: .acquiring) }

    /// How often something has changed; equal numbers mean equal contents.
    var changes: UInt64 { state.withLock { $0.changes } }

    /// The revoked ids, oldest first.
    var ids: [String] { state.withLock { $0.ids.elements.map(\.element) } }

    /// The ids of the first tasks of revoked workflows, oldest first.
    var roots: [String] { state.withLock { $0.roots.elements.map(\.element) } }

    /// Everything, oldest first.
    var snapshot: Snapshot {
        state.withLock { Snapshot(ids: $0.ids.elements, stamps: $0.stamps.elements, roots: $0.roots.elements) }
    }

    /// Whether this id is revoked.
    func contains(_ id: String) -> Bool {
        !isEmpty && state.withLock { $0.ids.contains(id) }
    }

    /// Revokes ids.
    func add(ids: some Sequence<String>, now: ContinuousClock.Instant = .now) {
        change { state in for id in ids { state.ids.insert(id, now: now) } }
    }

    /// Revokes values of stamps.
    func add(stamps: some Sequence<Stamp>, now: ContinuousClock.Instant = .now) {
        change { state in for stamp in stamps { state.stamps.insert(stamp, now: now) } }
    }

    /// Revokes whole workflows by the ids of their first tasks.
    func add(roots: some Sequence<String>, now: ContinuousClock.Instant = .now) {
        change { state in for root in roots { state.roots.insert(root, now: now) } }
    }

    /// Takes over what was revoked elsewhere or before; what is known already keeps the later time.
    func merge(_ other: Snapshot, now: ContinuousClock.Instant = .now) {
        guard !other.ids.isEmpty || !other.stamps.isEmpty || !other.roots.isEmpty else { return }
        change { state in
            state.ids.merge(other.ids, now: now)
            state.stamps.merge(other.stamps, now: now)
            state.roots.merge(other.roots, now: now)
        }
    }

    /// Why a task of these headers is revoked; nil if it is not.
    func match(_ headers: TaskHeaders) -> Match? {
        guard !isEmpty else { return nil }
        let names = headers.stampedHeaders ?? []
        return state.withLock { state in
            if state.ids.contains(headers.id) { return .id }
            if state.roots.count > 0, state.roots.contains(headers.workflowID) { return .root(headers.workflowID) }
            guard state.stamps.count > 0 else { return nil }
            for name in names {
                guard let field = headers.stamps[name] else { continue }
                let found = Self.values(JSONValue(field)).lazy.map { Stamp(name: name, value: $0) }
                    .first { state.stamps.contains($0) }
                if let found { return .stamp(found) }
            }
            return nil
        }
    }

    /// The values of a stamp; any element of a list counts.
    static func values(_ stamp: JSONValue) -> [JSONValue] { stamp.arrayValue ?? [stamp] }

    private func change(_ body: (inout sending State) -> Void) {
        state.withLock { state in
            body(&state)
            state.changes += 1
        }
        isUsed.store(true, ordering: .releasing)
    }
}

extension TaskHeaders {
    /// The first task of the workflow; the task itself where the message names none.
    var workflowID: String {
        guard let rootID, !rootID.isEmpty else { return id }
        return rootID
    }
}
