import CeleryProtocol

extension PendingChord {
    /// What becomes of a chord whose members are all over.
    ///
    /// Celery: `BaseKeyValueStoreBackend.on_chord_part_return` and `RedisBackend._unpack_chord_result`: the first failed
    /// member in the order of the header gives its name to the `ChordError`.
    var outcome: ChordEnding.Outcome {
        guard manifest.policy != .fail else { return strictOutcome }
        return .body(
            states.map { state in
                switch state {
                case .success(let value): value
                case .failure, .interim, nil: manifest.policy == .continue ? .null : nil
                }
            }
        )
    }

    private var strictOutcome: ChordEnding.Outcome {
        var results: [JSONValue?] = []
        results.reserveCapacity(states.count)
        var failed: [(id: String, exception: ExceptionInfo)] = []
        for (member, state) in zip(manifest.members, states) {
            switch state {
            case .success(let value): results.append(value)
            case .failure(let exception): failed.append((member.id, exception))
            case .interim, nil: break
            }
        }
        guard let first = failed.first else { return .body(results) }
        var text = BoundedText()
        for (id, exception) in failed { text.append("Dependency \(id) raised \(exception.pythonRepr)") }
        return .failure(
            ChordEnding.Failure(
                message: "Dependency \(first.id) raised \(first.exception.pythonRepr)",
                cause: first.exception,
                traceback: text.finished(total: failed.count)
            )
        )
    }

    /// The members without a result.
    fileprivate var missingIDs: [String] {
        zip(manifest.members, states).compactMap { member, state in state == nil ? member.id : nil }
    }
}

extension ChordEnding.Failure {
    /// The deadline has passed: names who is missing.
    static func overdue(_ chord: PendingChord) -> Self {
        let missing = chord.missingIDs
        let named = missing.prefix(3).joined(separator: ", ")
        let more = missing.count > 3 ? " and \(missing.count - 3) more" : ""
        var text = BoundedText()
        for id in missing { text.append("Dependency \(id) has no result") }
        return Self(
            message: "The chord's deadline has passed without a result of \(named)\(more)",
            traceback: text.finished(total: missing.count)
        )
    }

    /// The chord names more members than it may.
    static func tooMany(_ members: Int, limit: Int) -> Self {
        Self(message: "the chord has \(members) members, more than chord_max_members (\(limit))")
    }

    /// The results are more than the collector keeps.
    static func tooLarge(_ chord: PendingChord, limit: Int) -> Self {
        Self(
            message: "The chord's results are too large to be collected: \(chord.bytes) bytes in"
                + " \(chord.manifest.members.count - chord.missing) of \(chord.manifest.members.count) results; all chords"
                + " together may have \(limit) (chord_max_bytes)"
        )
    }
}

/// Lines up to a size, for a message that should not grow with the chord.
private struct BoundedText {
    private static let capacity = 32 << 10
    private var text = ""
    private var lines = 0

    mutating func append(_ line: String) {
        guard text.utf8.count + line.utf8.count < Self.capacity else { return }
        text += line + "\n"
        lines += 1
    }

    func finished(total: Int) -> String { lines < total ? text + "and \(total - lines) more\n" : text }
}
