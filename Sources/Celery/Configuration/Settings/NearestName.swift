/// Finds the name that somebody probably meant.
package enum NearestName {
    /// The known name with the fewest letters to change; nil where too many would have to be.
    package static func find(_ name: String, among known: some Sequence<String>) -> String? {
        let wanted = Array(name.lowercased().utf8)
        let distances = known.map { (name: $0, distance: distance(wanted, Array($0.utf8))) }
        guard let nearest = distances.min(by: { ($0.distance, $0.name) < ($1.distance, $1.name) }) else { return nil }
        return nearest.distance <= max(2, wanted.count / 3) ? nearest.name : nil
    }

    /// Levenshtein's distance: letters to insert, to delete and to replace.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var row = Array(0...right.count)
        for (index, letter) in left.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for column in right.indices {
                let replaced = diagonal + (letter == right[column] ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(replaced, diagonal + 1, row[column] + 1)
            }
        }
        return row[right.count]
    }
}
