#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// What the system calls itself (`uname`).
package struct SystemName: Sendable, Hashable {
    /// The system: `Linux`.
    package let system: String
    /// The kernel's version: `6.1.0-18-amd64`.
    package let release: String
    /// The architecture: `x86_64`.
    package let machine: String

    /// The name of the system that this process runs on; `unknown` where it does not tell.
    package static let current: SystemName = {
        var names = utsname()
        guard uname(&names) == 0 else { return SystemName(system: "unknown", release: "unknown", machine: "unknown") }
        return SystemName(
            system: text(of: names.sysname),
            release: text(of: names.release),
            machine: text(of: names.machine)
        )
    }()

    /// Text of an array of C characters, which Swift sees as a tuple.
    private static func text<Characters>(of characters: Characters) -> String {
        let bytes = Mirror(reflecting: characters).children.lazy
            .compactMap { $0.value as? CChar }
            .prefix { $0 != 0 }
            .map { UInt8(bitPattern: $0) }
        return String(decoding: Array(bytes), as: UTF8.self)
    }
}
