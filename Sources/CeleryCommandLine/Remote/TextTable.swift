/// A table of plain text: columns as wide as their widest cell, two spaces apart.
struct TextTable: Sendable, Hashable {
    let head: [String]
    private(set) var rows: [[String]] = []

    /// Widest cell that is shown in full.
    private static let widest = 60

    init(_ head: [String]) {
        self.head = head
    }

    /// Adds a row; missing cells are empty.
    mutating func append(_ cells: [String]) {
        rows.append(head.indices.map { $0 < cells.count ? cells[$0] : "" })
    }

    /// The lines, the head first; the last column is not padded.
    func lines(_ style: TextStyle = TextStyle(isColored: false)) -> [String] {
        let shown = rows.map { $0.map { DisplayText.cut(DisplayText.plain($0), to: Self.widest) } }
        let widths = head.indices.map { column in
            ([head[column]] + shown.map { $0[column] }).map(DisplayText.width).max() ?? 0
        }
        func line(_ cells: [String]) -> String {
            let padded = cells.enumerated().map { index, cell in
                index == cells.count - 1 ? cell : DisplayText.padded(cell, to: widths[index])
            }
            return padded.joined(separator: "  ")
        }
        return [style.text(line(head), .strong)] + shown.map(line)
    }
}
