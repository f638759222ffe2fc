import AMQP
import CeleryProtocol
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The samples of this process's memory that `memsample` takes and `memdump` shows (`celery.utils.debug`).
final class MemorySamples: Sendable {
    /// How many samples are kept; the oldest go first.
    private static let most = 1_000
    /// How many of them are shown.
    private static let shown = 10

    private let samples = Mutex<[String?]>([])

    /// Takes a sample; nil where the system does not tell.
    func take() -> String? {
        let text = Self.residentMemory
        samples.withLock { samples in
            samples.append(text)
            if samples.count > Self.most { samples.removeFirst(samples.count - Self.most) }
        }
        return text
    }

    /// The text of the samples so far, and of the memory now; afterwards there are none.
    func dump() -> String {
        let taken = samples.withLock { samples in
            defer { samples = [] }
            return samples
        }
        guard let now = Self.residentMemory else { return "- rss: (not known on this system).\n" }
        var text = ""
        if !taken.isEmpty {
            text += "- rss (sample):\n"
            for sample in Self.spread(taken) { text += "-    > \(sample ?? "None"),\n" }
        }
        return text + "- rss (end): \(now).\n"
    }

    private static func spread(_ samples: [String?]) -> [String?] {
        guard samples.count > shown else { return samples }
        let step = samples.count / shown
        return (0..<shown).map { samples[$0 * step] }
    }

    /// The resident memory of this process, such as `50.133MB`.
    private static var residentMemory: String? {
        ChildHandle.residentMemory(of: getpid()).map { humanText(bytes: Double($0) * 1_024) }
    }

    /// A size for people, with five digits that count (`celery.utils.debug.humanbytes`).
    static func humanText(bytes: Double) -> String {
        let units: [(Double, String)] = [
            (0x1p40, "TB"), (0x1p30, "GB"), (0x1p20, "MB"), (0x1p10, "KB"), (1, "b"),
        ]
        let (size, unit) = units.first { bytes >= $0.0 } ?? (1, "b")
        let number = bytes / size
        guard number != number.rounded() else { return "\(Int(number))\(unit)" }
        let digits = number >= 1_000 ? 1 : number >= 100 ? 2 : number >= 10 ? 3 : 4
        var factor = 1.0
        for _ in 0..<digits { factor *= 10 }
        return "\((number * factor).rounded() / factor)\(unit)"
    }
}
