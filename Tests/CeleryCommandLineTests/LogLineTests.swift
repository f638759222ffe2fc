import Logging
import Testing

@testable import CeleryCommandLine

@Suite struct LogLineTests {
    private func line(
        _ message: String,
        level: Logger.Level = .info,
        metadata: Logger.Metadata = [:],
        error: (any Error)? = nil,
        isColored: Bool = false
    ) -> String {
        var timestamp = LogTimestamp()
        var bytes: [UInt8] = []
        LogLine(isColored: isColored).append(
            level: level,
            message: message,
            metadata: metadata,
            error: error,
            at: (seconds: 1_700_000_000, milliseconds: 7),
            with: &timestamp,
            to: &bytes
        )
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Takes the time apart, as it is in the time zone of the machine.
    private func parts(_ line: String) throws -> (time: Substring, rest: Substring) {
        let opening = try #require(line.first)
        #expect(opening == "[")
        let end = try #require(line.firstRange(of: ": "))
        return (line[line.index(after: line.startIndex)..<end.lowerBound], line[end.upperBound...])
    }

    @Test func hasCelerysFormat() throws {
        let (time, rest) = try parts(line("celery@box ready."))
        #expect(rest == "INFO/MainProcess] celery@box ready.\n")
        #expect(time.wholeMatch(of: /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,007/) != nil)
    }

    @Test(arguments: [
        (Logger.Level.trace, "DEBUG"), (.debug, "DEBUG"), (.info, "INFO"), (.notice, "INFO"), (.warning, "WARNING"),
        (.error, "ERROR"), (.critical, "CRITICAL"),
    ])
    func levelsHavePythonsNames(level: Logger.Level, name: String) throws {
        #expect(try parts(line("x", level: level)).rest == "\(name)/MainProcess] x\n")
    }

    @Test func metadataFollowsInOrder() throws {
        let text = line("lost", metadata: ["queue": "celery", "attempt": "3", "reason": "no \"route\"\n", "empty": ""])
        #expect(
            try parts(text).rest
                == #"INFO/MainProcess] lost attempt=3 empty="" queue=celery reason="no \"route\"\n""# + "\n"
        )
    }

    @Test func controlCharactersCannotForgeALineOrSteerATerminal() throws {
        let text = line("a\u{1B}[2Jb", metadata: ["k\u{7}": "v\r\n[x: INFO/MainProcess] y"])
        #expect(
            try parts(text).rest
                == #"INFO/MainProcess] a\x1b[2Jb k\x07="v\x0d\n[x: INFO/MainProcess] y""# + "\n"
        )
    }

    @Test func aMessageMayHaveLines() throws {
        #expect(try parts(line("Traceback:\n  File")).rest == "INFO/MainProcess] Traceback:\n  File\n")
    }

    @Test func colorsAreThoseOfCelery() throws {
        #expect(
            try parts(line("x", level: .error, isColored: true)).rest == "ERROR/MainProcess] \u{1B}[1;31mx\u{1B}[0m\n"
        )
        #expect(try parts(line("x", isColored: true)).rest == "INFO/MainProcess] x\n")
    }

    @Test func anErrorIsShown() throws {
        let text = line("failed", level: .warning, error: OptionError("no good"))
        #expect(try parts(text).rest == "WARNING/MainProcess] failed error=\"no good\"\n")
    }

    @Test func theTimeFollowsTheClock() {
        var timestamp = LogTimestamp()
        var texts: [String] = []
        for milliseconds in [0, 999] {
            for seconds in [1_700_000_000, 1_700_000_001] {
                var bytes: [UInt8] = []
                timestamp.append((seconds: seconds, milliseconds: milliseconds), to: &bytes)
                texts.append(String(decoding: bytes, as: UTF8.self))
            }
        }
        #expect(Set(texts).count == 4)
        #expect(texts[0].hasSuffix(",000") && texts[3].hasSuffix(",999"))
        #expect(texts[0].dropLast(4) == texts[2].dropLast(4))
    }

    @Test func aTasksOwnLineHasItsNameAndId() throws {
        let text = line("half way", metadata: ["task_id": "7-8", "task_name": "proj.add", "width": "640"])
        #expect(try parts(text).rest == "INFO/MainProcess] proj.add[7-8]: half way width=640\n")
    }

    @Test func anIdAloneIsMetadata() throws {
        #expect(try parts(line("x", metadata: ["task_id": "7"])).rest == "INFO/MainProcess] x task_id=7\n")
    }
}
