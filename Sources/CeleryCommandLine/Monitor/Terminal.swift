import CSystemShims

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The terminal of the process, as a screen that is drawn on and a keyboard that is read without waiting.
struct Terminal {
    private let input = STDIN_FILENO
    private let output = ConsoleStream.output

    /// Whether a person sits at both ends.
    var isThere: Bool { isatty(input) == 1 && output.isTerminal }

    /// Takes the terminal over; it is given back by ``close()``, and when the process ends in whatever way but SIGKILL.
    func open() throws {
        let failure = swc_terminal_open(input, output.descriptor)
        guard failure == 0 else { throw CommandFailure("The terminal cannot be used (errno \(failure)).") }
    }

    /// Gives the terminal back as it was.
    func close() {
        swc_terminal_close()
    }

    /// Stops the process, as Ctrl-Z does; returns when it goes on.
    func suspend() throws {
        close()
        swc_terminal_suspend()
        try open()
    }

    /// How large the screen is; 80 by 24 where that is not known.
    var size: ScreenSize {
        let size = swc_terminal_size(output.descriptor)
        guard size.rows > 0, size.columns > 0 else { return ScreenSize(rows: 24, columns: 80) }
        return ScreenSize(rows: Int(size.rows), columns: Int(size.columns))
    }

    /// The bytes of the keys that were pressed; nil where the terminal is gone.
    func read() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 1_024)
        let count = swc_terminal_read(input, &buffer, UInt(buffer.count))
        return count < 0 ? nil : Array(buffer.prefix(count))
    }

    /// Draws all lines, from the top.
    func draw(_ lines: [ScreenLine], isColored: Bool) {
        let texts = lines.map { $0.sequences(isColored: isColored) + "\u{1B}[K" }
        output.write(Array(("\u{1B}[H" + texts.joined(separator: "\r\n")).utf8))
    }
}
