import CeleryProtocol

/// Finds chords by their members, their group and their body.
struct ChordIndex: Sendable {
    /// Where a task's result belongs.
    struct Place: Sendable, Hashable {
        let chord: ChordNumber
        let index: Int
    }

    /// Members by id; a task of two chords has two places.
    private var places: [String: [Place]] = [:]
    private var groups: [String: ChordNumber] = [:]
    private var bodies: [String: ChordNumber] = [:]

    /// Where a task's result belongs; nil where no chord waits for it.
    func places(of id: String) -> [Place]? { places[id] }

    func chord(ofGroup id: String) -> ChordNumber? { groups[id] }

    func chord(ofBody id: String) -> ChordNumber? { bodies[id] }

    mutating func insert(_ manifest: ChordManifest, _ number: ChordNumber) {
        groups[manifest.groupID] = number
        if let bodyID = manifest.bodyID { bodies[bodyID] = number }
        for (index, member) in manifest.members.enumerated() {
            places[member.id, default: []].append(Place(chord: number, index: index))
        }
    }

    /// Adds a further member.
    mutating func insert(_ id: String, _ place: Place) { places[id, default: []].append(place) }

    mutating func remove(_ manifest: ChordManifest, _ number: ChordNumber) {
        if groups[manifest.groupID] == number { groups[manifest.groupID] = nil }
        if let bodyID = manifest.bodyID, bodies[bodyID] == number { bodies[bodyID] = nil }
        for member in manifest.members {
            places[member.id]?.removeAll { $0.chord == number }
            if places[member.id]?.isEmpty == true { places[member.id] = nil }
        }
    }
}
