import FoundationEssentials

/// How many processes have wanted to run in the last one, five and fifteen minutes.
enum LoadAverage {
    /// The three averages of now, with two digits behind the point; zeros where the system does not tell.
    ///
    /// Celery: `celery.utils.sysinfo.load_average`.
    static var now: [Double] {
        let text = (try? String(contentsOfFile: "/proc/loadavg", encoding: .utf8)) ?? ""
        return parse(text)
    }

    /// Reads the line of `/proc/loadavg`.
    static func parse(_ text: String) -> [Double] {
        let numbers = text.split(separator: " ").prefix(3).compactMap { Double($0) }
        return numbers.count == 3 ? numbers : [0, 0, 0]
    }
}
