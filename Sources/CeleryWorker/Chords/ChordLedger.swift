import AMQP
import Celery
import CeleryProtocol
import FoundationEssentials

/// What the owner of a collector queue knows of the chords in it: which results are there, which are missing, and what is
/// to be done about it.
///
/// A pure value: deliveries go in, actions come out. It knows nothing but what the queue has delivered on the channel of the
/// moment, and nothing is acknowledged before everything that follows from it is published and confirmed: whoever owns the
/// queue next gets the same messages in the same order and comes to the same end. `Interop/model` proves that of a model.
struct ChordLedger: Sendable {
    /// Bounds of what an owner keeps.
    struct Limits: Sendable {
        /// The size of all manifests and results.
        var bytes = 256 << 20
        /// How many members a chord may have.
        var members = 100_000
        /// How long a result of an unknown chord is kept: its manifest may come again, behind it.
        var orphanTime: Double = 60
        /// How many of them are kept.
        var orphans = 10_000
        /// How many ended chords are remembered.
        var remembered = 10_000
        /// Of how many members of failed chords the callers are remembered.
        var lateCallers = 100_000
    }

    let limits: Limits
    private var chords: [ChordNumber: PendingChord] = [:]
    private var lastNumber: ChordNumber = 0
    private var index = ChordIndex()
    /// Results that more than one chord keeps, with the number of those.
    private var shared: [UInt64: Int] = [:]
    private var orphans = ChordOrphans()
    private var remembered = ChordMemory()
    /// Who waits for members that were missing when their chord failed.
    private var lateCallers = ChordLateCallers()
    /// The size of what is kept for chords.
    private var chordBytes = 0
    /// The part of it that chords keep whose results are missing; only that makes a chord fail.
    private var collectingBytes = 0
    /// Chords whose followers are being published.
    private(set) var endingCount = 0
    /// Chords whose followers are published, and whose results are still on their way to their callers.
    private(set) var endedCount = 0
    /// Results that are on their way to their callers.
    private(set) var unconfirmedCount = 0

    init(limits: Limits = Limits()) {
        self.limits = limits
        remembered = ChordMemory(capacity: limits.remembered)
        lateCallers = ChordLateCallers(capacity: limits.lateCallers)
    }

    /// The size of everything that is kept.
    var bytes: Int { chordBytes + orphans.bytes }
    /// Chords that have not been let go of.
    var count: Int { chords.count }
    /// Whether nothing is held.
    var isEmpty: Bool { chords.isEmpty && orphans.isEmpty }
    /// When the oldest message that is held came, in seconds since 1970.
    var oldest: Double? {
        let chord = chords.values.lazy.map { $0.since }.min()
        return [chord, orphans.oldest].compactMap(\.self).min()
    }

    /// The channel is gone, and with it everything that was held.
    mutating func reset() {
        let (memory, callers, number) = (remembered, lateCallers, lastNumber)
        self = ChordLedger(limits: limits)
        remembered = memory
        lateCallers = callers
        // What is told of an earlier channel's chords must not be taken for later ones.
        lastNumber = number
    }
}

// MARK: - Manifests

extension ChordLedger {
    /// A manifest has come.
    mutating func receive(
        _ manifest: ChordManifest,
        tag: UInt64,
        bytes size: Int,
        messageID: String?,
        now: Double
    ) -> [ChordAction] {
        let group = manifest.groupID
        if let messageID, remembered.contains(messageID) {
            return [.settle([tag], .ack), .report(.repeatedManifest(group: group))]
        }
        if let number = copy(of: manifest) {
            chords[number]?.addManifest(tag, messageID: messageID)
            return [.report(.repeatedManifest(group: group))]
        }
        lastNumber += 1
        let number = lastNumber
        var chord = PendingChord(manifest, since: now)
        chord.addManifest(tag, messageID: messageID)
        chord.bytes = size
        chordBytes += size
        collectingBytes += size
        guard manifest.members.count <= limits.members else {
            chord.isRefused = true
            chords[number] = chord
            return [.report(.tooMany(group: group, members: manifest.members.count))]
                + fail(number, .tooMany(manifest.members.count, limit: limits.members))
        }
        chords[number] = chord
        index.insert(manifest, number)
        return [.report(.announced(group: group, members: manifest.members.count))]
            + claimOrphans(of: manifest, now: now) + enforceLimit()
    }

    /// A chord with the same body and the same members, which the manifest then is a copy of.
    private func copy(of manifest: ChordManifest) -> ChordNumber? {
        guard let bodyID = manifest.bodyID, let number = index.chord(ofBody: bodyID), let chord = chords[number],
            !chord.isRefused, chord.manifest.members.starts(with: manifest.members)
        else { return nil }
        return number
    }

    /// Takes in the members' results that came before their manifest.
    private mutating func claimOrphans(of manifest: ChordManifest, now: Double) -> [ChordAction] {
        guard !orphans.isEmpty else { return [] }
        var actions: [ChordAction] = []
        for part in orphans.take(Set(manifest.members.map(\.id))) { actions += receive(part, now: now) }
        return actions
    }
}

// MARK: - Further members

extension ChordLedger {
    /// A member has added others, whose results the body waits for as well.
    ///
    /// It came before the member's own result, and is kept with the results, for the next owner. What was added before
    /// counts once; what a chord that is over gets is of no use.
    mutating func receive(_ addition: ChordAddition, tag: UInt64, bytes size: Int, now: Double) -> [ChordAction] {
        guard let number = index.chord(ofGroup: addition.groupID), chords[number]?.phase == .collecting
        else { return [.settle([tag], .ack), .report(.repeated(id: addition.groupID))] }
        // In place, as results are taken.
        let added = addition.members.filter { add($0, to: number) }
        chords[number]?.tags.append(tag)
        chords[number]?.bytes += size
        chordBytes += size
        collectingBytes += size
        let count = chords[number]?.manifest.members.count ?? 0
        guard count <= limits.members else {
            return [.report(.tooMany(group: addition.groupID, members: count))]
                + fail(number, .tooMany(count, limit: limits.members))
        }
        let further = ChordManifest(groupID: addition.groupID, members: added, body: .null)
        return claimOrphans(of: further, now: now) + enforceLimit()
    }

    /// Adds a member to a chord; answers whether it is new there.
    private mutating func add(_ member: ChordManifest.Member, to number: ChordNumber) -> Bool {
        guard index.places(of: member.id)?.contains(where: { $0.chord == number }) != true,
            let position = chords[number]?.add(member)
        else { return false }
        index.insert(member.id, ChordIndex.Place(chord: number, index: position))
        return true
    }
}

// MARK: - Results

extension ChordLedger {
    /// A result has come.
    mutating func receive(_ part: ChordPart, now: Double) -> [ChordAction] {
        guard let found = index.places(of: part.id) else { return receiveUnknown(part, now: now) }
        if case .interim = part.state { return relay(part, found) }
        var actions: [ChordAction] = []
        var keepers = 0
        var late: [String] = []
        for place in found {
            // In place: a copy of a large chord for each of its results would take time that grows with its square.
            guard let taking = chords[place.chord]?.take(part, at: place.index) else { continue }
            if taking.isKept {
                keepers += 1
                chordBytes += part.bytes
                collectingBytes += part.bytes
                guard let replyTo = taking.replyTo else { continue }
                unconfirmedCount += 1
                actions.append(.forward(part, to: replyTo, of: place.chord))
            } else if let replyTo = taking.replyTo {
                late.append(replyTo)
            }
        }
        guard keepers > 0 else {
            guard late.isEmpty else { return [.relay(part, to: late)] }
            return [.settle([part.tag], .ack), .report(.repeated(id: part.id))]
        }
        if keepers > 1 { shared[part.tag] = keepers }
        for place in found { actions += endIfComplete(place.chord) }
        return actions + enforceLimit()
    }

    private func relay(_ part: ChordPart, _ found: [ChordIndex.Place]) -> [ChordAction] {
        var targets: [String] = []
        for place in found {
            guard let chord = chords[place.chord], chord.misses(place.index),
                let replyTo = chord.manifest.members[place.index].replyTo, !targets.contains(replyTo)
            else { continue }
            targets.append(replyTo)
        }
        return targets.isEmpty ? [.settle([part.tag], .ack)] : [.relay(part, to: targets)]
    }

    private mutating func receiveUnknown(_ part: ChordPart, now: Double) -> [ChordAction] {
        if let caller = lateCaller(of: part) { return [.relay(part, to: [caller])] }
        if case .interim = part.state { return [.settle([part.tag], .ack)] }
        orphans.append(part, now: now)
        var actions: [ChordAction] = []
        while orphans.count > limits.orphans || isTooMuch && !orphans.isEmpty {
            actions += dropOldestOrphan()
        }
        return actions
    }

    /// Who waits for a member of a chord that has failed before; after its final state nobody does.
    private mutating func lateCaller(of part: ChordPart) -> String? {
        if case .interim = part.state { return lateCallers[part.id] }
        return lateCallers.remove(part.id)
    }

    private mutating func dropOldestOrphan() -> [ChordAction] {
        guard let part = orphans.popFirst() else { return [] }
        // It came while its chord was failing.
        if let caller = lateCaller(of: part) { return [.relay(part, to: [caller])] }
        return [.settle([part.tag], .ack), .report(.unknown(id: part.id))]
    }
}

// MARK: - Time

extension ChordLedger {
    /// Looks after deadlines, and lets go of results that nobody has claimed.
    mutating func tick(now: Double) -> [ChordAction] {
        var actions: [ChordAction] = []
        while let oldest = orphans.oldest, now - oldest >= limits.orphanTime { actions += dropOldestOrphan() }
        for (number, chord) in chords where chord.phase == .collecting && !chord.isMarked {
            guard let deadline = chord.manifest.deadline, deadline.date.timeIntervalSince1970 <= now else { continue }
            chords[number]?.isMarked = true
            actions.append(.mark(ChordMark(groupID: chord.manifest.groupID, deadline: deadline), of: number))
        }
        return actions
    }

    /// A mark could not be published: the next tick tries again.
    mutating func markFailed(_ number: ChordNumber) { chords[number]?.isMarked = false }

    /// A mark has come: what is missing now is late, for every owner of the queue.
    mutating func receive(_ mark: ChordMark, tag: UInt64) -> [ChordAction] {
        guard let number = index.chord(ofGroup: mark.groupID), let chord = chords[number], chord.phase == .collecting,
            chord.manifest.deadline == mark.deadline
        else { return [.settle([tag], .ack)] }
        chords[number]?.tags.append(tag)
        return [.report(.overdue(group: mark.groupID, missing: chord.missing))] + fail(number, .overdue(chord))
    }
}

// MARK: - Ends

extension ChordLedger {
    private mutating func endIfComplete(_ number: ChordNumber) -> [ChordAction] {
        guard let chord = chords[number], chord.phase == .collecting, chord.missing == 0 else { return [] }
        return end(number, chord.outcome)
    }

    /// Fails a chord that cannot go on.
    ///
    /// Also one whose body could not be sent.
    mutating func fail(_ number: ChordNumber, _ failure: ChordEnding.Failure) -> [ChordAction] {
        end(number, .failure(failure))
    }

    private mutating func end(_ number: ChordNumber, _ outcome: ChordEnding.Outcome) -> [ChordAction] {
        guard var chord = chords[number], chord.phase != .ended else { return [] }
        if chord.phase == .collecting {
            collectingBytes -= chord.bytes
            endingCount += 1
        }
        chord.phase = .ending
        // They are with the ending now.
        chord.dropStates()
        chords[number] = chord
        let ending = ChordEnding(
            number: number,
            manifest: chord.manifest,
            outcome: outcome,
            parentID: chord.lastID
        )
        return [.end(ending)]
    }

    /// What follows the chord is published and confirmed.
    mutating func published(_ number: ChordNumber) -> [ChordAction] {
        guard chords[number]?.phase == .ending else { return [] }
        chords[number]?.phase = .ended
        endingCount -= 1
        endedCount += 1
        return releaseIfDone(number)
    }

    /// What follows the chord cannot be published at all: its manifest must not come again.
    mutating func abandoned(_ number: ChordNumber) -> [ChordAction] {
        chords[number]?.isRefused = true
        return published(number)
    }

    /// A result has reached its caller, or nobody is there to get it.
    mutating func forwarded(_ number: ChordNumber) -> [ChordAction] {
        guard chords[number] != nil else { return [] }
        chords[number]?.unconfirmed -= 1
        unconfirmedCount -= 1
        return releaseIfDone(number)
    }

    private mutating func releaseIfDone(_ number: ChordNumber) -> [ChordAction] {
        guard let chord = chords[number], chord.phase == .ended, chord.unconfirmed == 0 else { return [] }
        chords[number] = nil
        endedCount -= 1
        chordBytes -= chord.bytes
        index.remove(chord.manifest, number)
        for caller in chord.missingCallers { lateCallers.insert(caller.replyTo, of: caller.id) }
        if !chord.isRefused { for id in chord.messageIDs { remembered.insert(id) } }
        let release = ChordRelease(
            manifests: chord.manifestTags,
            manifestSettlement: chord.isRefused ? .reject(requeue: false) : .ack,
            rest: chord.tags.filter { releases($0) },
            needsBarrier: chord.hasLateManifest
        )
        return [.release(release), .report(.released(group: chord.manifest.groupID))]
    }

    /// Whether a chord is the last one to let go of a delivery.
    private mutating func releases(_ tag: UInt64) -> Bool {
        guard let keepers = shared[tag] else { return true }
        shared[tag] = keepers > 1 ? keepers - 1 : nil
        return keepers <= 1
    }

    /// Whether too much is kept of what is not complete.
    ///
    /// Complete chords do not count: that they wait for the broker is no fault of others, and no failure would help.
    private var isTooMuch: Bool { collectingBytes + orphans.bytes > limits.bytes }

    /// Lets go of what is too much: first of results of unknown chords, then of the largest chord.
    private mutating func enforceLimit() -> [ChordAction] {
        var actions: [ChordAction] = []
        while isTooMuch {
            guard orphans.isEmpty else {
                actions += dropOldestOrphan()
                continue
            }
            let pending = chords.filter { $0.value.phase == .collecting }
            guard let (number, chord) = pending.max(by: { $0.value.bytes < $1.value.bytes }) else { break }
            actions.append(.report(.tooLarge(group: chord.manifest.groupID, bytes: chord.bytes)))
            actions += fail(number, .tooLarge(chord, limit: limits.bytes))
        }
        return actions
    }
}
