/// A page of metrics as a scraper reads it: strict where Prometheus' text format is.
struct PrometheusPage {
    /// What is wrong with a line.
    struct Malformed: Error {
        let line: Substring
        let reason: String
    }

    /// Name and labels of a sample.
    struct Series: Hashable {
        let name: String
        let labels: [String: String]
    }

    private(set) var types: [String: String] = [:]
    private(set) var helps: [String: String] = [:]
    private(set) var samples: [Series: Double] = [:]

    /// Reads a page.
    ///
    /// Each metric has one HELP, then one TYPE, then its samples together, each series once; histograms grow with their bounds,
    /// end with `+Inf`, and have that as their count.
    init(parsing text: String) throws {
        guard text.hasSuffix("\n") else { throw Malformed(line: "", reason: "no line end at the end") }
        var family = ""
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            if line.hasPrefix("# HELP ") {
                let parts = line.dropFirst(7).split(separator: " ", maxSplits: 1)
                family = String(parts[0])
                guard helps[family] == nil else { throw Malformed(line: line, reason: "a second HELP") }
                helps[family] = parts.count == 2 ? String(parts[1]) : ""
            } else if line.hasPrefix("# TYPE ") {
                let parts = line.dropFirst(7).split(separator: " ")
                guard parts.count == 2, parts[0] == family, types[family] == nil else {
                    throw Malformed(line: line, reason: "TYPE without its HELP")
                }
                types[family] = String(parts[1])
            } else {
                try readSample(line, of: family)
            }
        }
        try checkHistograms()
    }

    /// The value of a series; nil where there is none.
    func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        samples[Series(name: name, labels: labels)]
    }

    private mutating func readSample(_ line: Substring, of family: String) throws {
        let nameEnd = line.firstIndex { $0 == "{" || $0 == " " } ?? line.endIndex
        let name = String(line[..<nameEnd])
        let isHistogram = types[family] == "histogram"
        let allowed = isHistogram ? ["_bucket", "_sum", "_count"].map { family + $0 } : [family]
        guard allowed.contains(name), types[family] != nil else { throw Malformed(line: line, reason: "of no family") }
        guard name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == ":") }) else {
            throw Malformed(line: line, reason: "the name")
        }
        if types[family] == "counter", !name.hasSuffix("_total") { throw Malformed(line: line, reason: "no _total") }
        var rest = line[nameEnd...]
        let labels = try Self.readLabels(&rest, line)
        guard rest.first == " ", let value = Double(rest.dropFirst()) else {
            throw Malformed(line: line, reason: "the value")
        }
        let series = Series(name: name, labels: labels)
        guard samples.updateValue(value, forKey: series) == nil else { throw Malformed(line: line, reason: "twice") }
    }

    private static func readLabels(_ rest: inout Substring, _ line: Substring) throws -> [String: String] {
        guard rest.first == "{" else { return [:] }
        var labels: [String: String] = [:]
        repeat {
            rest.removeFirst()
            guard let equals = rest.firstIndex(of: "="), rest[rest.index(after: equals)...].first == "\"" else {
                throw Malformed(line: line, reason: "a label")
            }
            let name = String(rest[..<equals])
            rest = rest[rest.index(equals, offsetBy: 2)...]
            var value = ""
            while let next = rest.popFirst(), next != "\"" {
                guard next == "\\" else {
                    value.append(next)
                    continue
                }
                switch rest.popFirst() {
                case "n": value.append("\n")
                case "\\": value.append("\\")
                case "\"": value.append("\"")
                default: throw Malformed(line: line, reason: "a backslash")
                }
            }
            guard labels.updateValue(value, forKey: name) == nil else {
                throw Malformed(line: line, reason: "a label twice")
            }
        } while rest.first == ","
        guard rest.popFirst() == "}" else { throw Malformed(line: line, reason: "the end of the labels") }
        return labels
    }

    private func checkHistograms() throws {
        for (family, type) in types where type == "histogram" {
            let buckets = samples.filter { $0.key.name == family + "_bucket" }
            for (rest, group) in Dictionary(grouping: buckets, by: { $0.key.labels.filter { $0.key != "le" } }) {
                let ordered = group.map { (Double($0.key.labels["le"] ?? "") ?? .nan, $0.value) }.sorted { $0.0 < $1.0 }
                let counts = ordered.map(\.1)
                guard ordered.last?.0 == .infinity, counts == counts.sorted(),
                    value(family + "_count", rest) == counts.last, value(family + "_sum", rest) != nil
                else { throw Malformed(line: Substring(family), reason: "a histogram") }
            }
        }
    }
}
