import Synchronization

/// What a migration tells of its progress, a line for each task as Celery's `migrate` does, and of its end.
final class MigrationReport: Sendable {
    private struct State {
        var expected = 0
        var count: MigrationCount?
    }

    private let isQuiet: Bool
    private let line: @Sendable (String) -> Void
    private let note: @Sendable (String) -> Void
    private let state = Mutex(State())

    /// Makes a report.
    ///
    /// - Parameters:
    ///   - isQuiet: whether only refusals are told.
    ///   - line: takes lines of progress.
    ///   - note: takes remarks.
    init(isQuiet: Bool, line: @escaping @Sendable (String) -> Void, note: @escaping @Sendable (String) -> Void) {
        self.isQuiet = isQuiet
        self.line = line
        self.note = note
    }

    /// How it has ended; nil before that.
    var outcome: MigrationCount? { state.withLock { $0.count } }

    /// A queue of the source has so many messages.
    func expect(_ count: Int) { state.withLock { $0.expected += count } }

    /// A task is sent on.
    func migrating(_ number: Int, _ message: MigratedMessage) {
        guard !isQuiet else { return }
        let expected = state.withLock { $0.expected }
        line("Migrating task \(number)/\(expected == 0 ? "?" : "\(expected)"): \(message.description)")
    }

    /// Something that an operator has to know.
    func remark(_ text: String) { note(text) }

    /// The end.
    func finish(_ count: MigrationCount) {
        state.withLock { $0.count = count }
        let verb = count.acknowledges ? "moved" : "copied"
        var text = "\(Plural.of(count.confirmed, "task")) \(verb)"
        if count.left > 0 { text += ", \(count.left) others left at the source" }
        if count.refused > 0 { text += ", \(count.refused) refused by the destination and left at the source" }
        if count.unsettled > 0 {
            text += ", \(count.unsettled) sent without an answer: still at the source, perhaps at the destination, too"
        }
        if !isQuiet || count.refused + count.unsettled > 0 { note("\(text).") }
    }
}
