#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Runs the steps of the demonstration one by one and prints how each went.
struct Steps {
    private var passed = 0
    private var total = 0

    mutating func step(_ title: String, _ body: () async throws -> Void) async {
        await step(title, total: 0) { _ in try await body() }
    }

    mutating func step(_ title: String, total count: Int, _ body: (ProgressBar) async throws -> Void) async {
        total += 1
        let bar = ProgressBar(title: title, total: count)
        let clock = ContinuousClock()
        do {
            let elapsed = try await clock.measure { try await body(bar) }
            bar.clear()
            passed += 1
            let rate = count > 0 ? ", \(Int(Double(count) / (elapsed / .seconds(1)))) per second" : ""
            print("  ok      \(title)\(rate)")
        } catch {
            bar.clear()
            print("  failed  \(title): \(error)")
        }
        fflush(nil)  // in a pipe too, each step is seen when it is done
    }

    /// Writes `passed total` into the file that DEMO_SUMMARY names, for the script that adds everything up.
    func writeSummary() throws {
        guard let path = getenv("DEMO_SUMMARY").map({ String(cString: $0) }) else { return }
        guard let file = fopen(path, "w") else { throw Unexpected("\(path) cannot be written") }
        defer { fclose(file) }
        fputs("\(passed) \(total)\n", file)
    }
}

/// A line that fills up while a step runs; only where a terminal is attached.
final class ProgressBar {
    private let title: String
    private let total: Int
    private let isShown: Bool
    private var done = 0
    private let width = 30

    init(title: String, total: Int) {
        self.title = title
        self.total = total
        isShown = total > 0 && isatty(STDOUT_FILENO) == 1
    }

    func advance() {
        done += 1
        guard isShown, done % 20 == 0 || done == total else { return }
        let filled = width * done / total
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
        show("\r  [\(bar)] \(done)/\(total) \(title)")
    }

    func clear() {
        if isShown { show("\r\u{1B}[K") }
    }

    private func show(_ text: String) {
        print(text, terminator: "")
        fflush(nil)
    }
}

/// A step's outcome is not what it should be.
struct Unexpected: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

func expect<Value: Equatable>(_ value: Value, _ wanted: Value) throws {
    guard value == wanted else { throw Unexpected("\(value) instead of \(wanted)") }
}
