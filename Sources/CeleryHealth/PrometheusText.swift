import CeleryWorker

/// Writes metrics in Prometheus' text format, version 0.0.4.
struct PrometheusText {
    private(set) var text = ""

    /// Writes a metric without labels.
    mutating func write(_ metric: Metric, _ value: Int) { write(metric, [(KeyValuePairs<String, String>(), value)]) }

    /// Writes a metric with one line for each set of labels; nothing at all where there is none.
    mutating func write(_ metric: Metric, _ samples: [(labels: KeyValuePairs<String, String>, value: Int)]) {
        guard !samples.isEmpty else { return }
        head(metric)
        for sample in samples { line(metric.name, sample.labels, "\(sample.value)") }
    }

    /// Writes histograms by task; those without a sample are left out.
    mutating func write(_ metric: Metric, _ histograms: [(task: String, snapshot: DurationHistogram.Snapshot)]) {
        let histograms = histograms.filter { histogram in histogram.snapshot.counts.contains { $0 > 0 } }
        guard !histograms.isEmpty else { return }
        head(metric)
        for (task, snapshot) in histograms {
            var sum = 0
            for (bound, count) in zip(DurationHistogram.bounds.map { "\($0)" } + ["+Inf"], snapshot.counts) {
                sum += count
                line(metric.name + "_bucket", ["task": task, "le": bound], "\(sum)")
            }
            line(metric.name + "_sum", ["task": task], "\(snapshot.sum)")
            line(metric.name + "_count", ["task": task], "\(sum)")
        }
    }

    private mutating func head(_ metric: Metric) {
        text += "# HELP \(metric.name) \(metric.help)\n# TYPE \(metric.name) \(metric.kind.rawValue)\n"
    }

    private mutating func line(_ name: String, _ labels: KeyValuePairs<String, String>, _ value: String) {
        text += name
        if !labels.isEmpty {
            text += "{\(labels.map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ","))}"
        }
        text += " \(value)\n"
    }

    /// A label's value: backslashes, quotes and line ends are written with a backslash.
    private static func escaped(_ value: String) -> String {
        guard value.contains(where: { $0 == "\\" || $0 == "\"" || $0.isNewline }) else { return value }
        var text = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
