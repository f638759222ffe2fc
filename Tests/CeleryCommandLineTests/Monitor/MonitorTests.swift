import Celery
import Testing

@testable import CeleryCommandLine

@Suite("Live view")
struct MonitorTests {
    private static let now = 1_700_000_000.0

    private func monitor(tasks: Int = 3) -> Monitor {
        var monitor = Monitor()
        monitor.isConnected = true
        monitor.broker = "amqp://h//"
        let worker: JSONObject = [
            "hostname": "celery@one", "timestamp": .double(Self.now), "local_received": .double(Self.now),
            "freq": .double(2), "active": .int(1), "processed": .int(42),
            "loadavg": [.double(0.5), .double(0.25), .double(1)], "sw_ident": "swcelery", "sw_ver": "0.1.0",
        ]
        monitor.cluster.apply(ClusterEvent(type: "worker-heartbeat", fields: worker))
        for number in 1...max(tasks, 1) where tasks > 0 { monitor.cluster.apply(task("received", number)) }
        return monitor
    }

    private func task(_ kind: String, _ number: Int, _ more: JSONObject = [:]) -> ClusterEvent {
        let common: JSONObject = [
            "hostname": "celery@one", "timestamp": .double(Self.now), "local_received": .double(Self.now),
            "uuid": .string("id-\(number)"), "name": .string("proj.task\(number)"), "args": "(1,)", "kwargs": "{}",
        ]
        return ClusterEvent(type: "task-\(kind)", fields: common.merging(more) { $1 })
    }

    private func screen(_ monitor: Monitor, rows: Int = 16, columns: Int = 100) -> [String] {
        MonitorScreen(monitor: monitor, size: ScreenSize(rows: rows, columns: columns), now: Self.now + 1).lines.map {
            $0.text
        }
    }

    /// Where a text begins in a line.
    private func column(of text: String, in line: String) -> Int? {
        line.indices.first { line[$0...].hasPrefix(text) }.map { line.distance(from: line.startIndex, to: $0) }
    }

    private func press(_ monitor: inout Monitor, _ keys: Key...) -> Monitor.Action? {
        var action: Monitor.Action?
        for key in keys { action = monitor.press(key) }
        return action
    }

    @Test func workersAndTasksAreVisible() {
        var monitor = monitor()
        monitor.cluster.apply(task("succeeded", 2, ["runtime": .double(0.1234), "result": "5"]))
        let lines = screen(monitor)
        #expect(lines.count == 16)
        #expect(lines.allSatisfy { DisplayText.width($0) == 100 })
        #expect(lines[0].contains("workers 1/1  tasks 3  events 5"))
        #expect(lines[1].hasPrefix("  WORKER"))
        let values = ["celery@one", "online", "1", "42", "0.50", "0.25", "1.00", "1", "s", "swcelery", "0.1.0"]
        #expect(lines[2].split(separator: " ").map(String.init) == values)
        let columns = [("STATE", "online"), ("ACTIVE", "1 "), ("DONE", "42 "), ("LOAD", "0.50"), ("SEEN", "1 s")]
        for (head, value) in columns {
            #expect(column(of: head, in: lines[1]).map { lines[2].dropFirst($0).hasPrefix(value) } == true)
        }
        #expect(lines[4].contains("UUID") && lines[4].contains("STATE"))
        #expect(lines[5].contains("id-2") && lines[5].contains("SUCCESS") && lines[5].contains("0.123 s"))
        #expect(lines[6].contains("id-3") && lines[6].contains("RECEIVED"))
        #expect(lines[15].contains("q quit"))
    }

    @Test(arguments: [(1, 1), (3, 10), (5, 20), (8, 40), (24, 80), (60, 300)])
    func everySizeIsFilledExactly(rows: Int, columns: Int) {
        var monitor = monitor(tasks: 100)
        for mode in [Monitor.Mode.lists, .page(.init(title: "T", text: "日本\nb", top: 1)), .prompt(.filter, "x")] {
            monitor.mode = mode
            let lines = screen(monitor, rows: rows, columns: columns)
            #expect(lines.count == rows)
            #expect(lines.allSatisfy { DisplayText.width($0) == columns })
        }
    }

    @Test func keysMoveTheSelection() {
        var monitor = monitor(tasks: 30)
        _ = press(&monitor, .down)
        #expect(monitor.selectedTask == "id-30")
        _ = press(&monitor, .character("j"), .character("j"), .up)
        #expect(monitor.selectedTask == "id-29")
        _ = press(&monitor, .end)
        #expect(monitor.selectedTask == "id-1")
        #expect(screen(monitor).contains { $0.hasPrefix("> id-1 ") })
        _ = press(&monitor, .character("g"), .pageDown)
        #expect(monitor.selectedTask == "id-20")
        // The selection stays with its task when others come in.
        monitor.cluster.apply(task("received", 31))
        #expect(screen(monitor).contains { $0.hasPrefix("> id-20 ") })
        _ = press(&monitor, .tab, .down)
        #expect(monitor.selectedWorker == "celery@one")
        let inspection = press(&monitor, .character("i"))
        #expect(inspection == .inspect(worker: "celery@one"))
    }

    @Test func revokingIsAskedFor() {
        var monitor = monitor()
        let nothing = press(&monitor, .character("c"))
        #expect(nothing == nil)
        #expect(monitor.note == "No task is selected.")
        let question = press(&monitor, .down, .character("c"))
        #expect(question == nil)
        #expect(screen(monitor).contains { $0.hasPrefix(" Revoke the task id-3? (y/n)") })
        let refusal = press(&monitor, .character("n"))
        #expect(refusal == nil)
        let agreement = press(&monitor, .character("x"), .character("y"))
        #expect(agreement == .revoke(id: "id-3", terminate: true))
        #expect(monitor.mode == .lists)
    }

    @Test func detailsResultAndTraceback() {
        var monitor = monitor()
        monitor.cluster.apply(task("failed", 3, ["exception": "E('x')", "traceback": "line 1\nline 2"]))
        _ = press(&monitor, .down, .enter)
        let details = screen(monitor, rows: 30)
        #expect(details.contains { $0.hasPrefix(" Task id-3") })
        #expect(details.contains { $0.hasPrefix(" exception:    E('x')") })
        #expect(details.contains { $0.hasPrefix(" line 2") })
        _ = press(&monitor, .escape, .character("r"))
        #expect(screen(monitor)[3].hasPrefix(" E('x')"))
        _ = press(&monitor, .escape, .character("t"), .down)
        #expect(screen(monitor)[3].hasPrefix(" line 2"))
        _ = press(&monitor, .escape)
        #expect(monitor.mode == .lists)
    }

    @Test func filtersLimitsAndHolding() {
        var monitor = monitor(tasks: 12)
        _ = press(&monitor, .character("/"), .character("k"), .backspace, .character("1"), .character("1"), .enter)
        #expect(monitor.filter == "11")
        #expect(monitor.taskIDs == ["id-11"])
        _ = press(&monitor, .escape, .character("p"))
        monitor.cluster.apply(task("received", 13))
        #expect(monitor.taskIDs.first == "id-12")
        #expect(screen(monitor)[0].contains("HELD"))
        _ = press(&monitor, .character("p"), .down, .character("l"))
        let action = press(&monitor, .character("5"), .character("/"), .character("m"), .enter)
        #expect(action == .rateLimit(task: "proj.task13", limit: "5/m"))
        let enabling = press(&monitor, .character("e"), .character("y"))
        #expect(enabling == .enableEvents)
    }

    @Test func endings() {
        var monitor = monitor()
        let quitting = press(&monitor, .character("q"))
        #expect(quitting == .quit)
        monitor.show("T", "text")
        let interruption = press(&monitor, .interrupt)
        #expect(interruption == .quit)
        let suspension = press(&monitor, .suspend)
        #expect(suspension == .suspend)
    }

    @Test func nothingFromOutsideSteersTheTerminal() {
        var monitor = monitor(tasks: 0)
        monitor.cluster.apply(task("received", 1, ["name": "\u{1B}[2J\u{7}", "hostname": "\u{9B}31m"]))
        let lines = MonitorScreen(monitor: monitor, size: ScreenSize(rows: 20, columns: 120), now: Self.now).lines
        #expect(!lines.contains { $0.sequences(isColored: false).unicodeScalars.contains("\u{9B}") })
        #expect(lines.contains { $0.text.contains("\\x1b[2J\\x07") })
        #expect(!lines.contains { $0.sequences(isColored: true).contains("\u{1B}[2J") })
    }

    @Test func withoutColoursOnlyBoldAndInverse() {
        var line = ScreenLine("a", .good)
        line.append("b", .inverse)
        #expect(line.sequences(isColored: false) == "a\u{1B}[7mb\u{1B}[0m")
        #expect(line.sequences(isColored: true) == "\u{1B}[32ma\u{1B}[0m\u{1B}[7mb\u{1B}[0m")
    }
}

@Suite("Keys")
struct KeyReaderTests {
    private func keys(_ reads: String...) -> [Key] {
        var reader = KeyReader()
        return reads.flatMap { reader.keys(Array($0.utf8)) }
    }

    @Test func sequencesBecomeKeys() {
        #expect(
            keys("j\u{1B}[A\u{1B}OB\r\t\u{7F}\u{3}é") == [
                .character("j"), .up, .down, .enter, .tab, .backspace, .interrupt, .character("é"),
            ]
        )
        #expect(keys("\u{1B}[5~\u{1B}[6~\u{1B}[1~\u{1B}[F") == [.pageUp, .pageDown, .home, .end])
    }

    @Test func sequencesMayComeInParts() {
        #expect(keys("\u{1B}", "[", "A") == [.up])
        #expect(keys("\u{1B}", "") == [.escape])
        #expect(keys("\u{1B}", "", "x") == [.escape, .character("x")])
    }

    @Test func unknownSequencesAreNothing() {
        #expect(keys("\u{1B}[?62cq") == [.character("q")])
        #expect(keys("\u{1B}[" + String(repeating: "9", count: 100)) == [])
        #expect(keys("\u{1B}xq") == [.escape, .character("x"), .character("q")])
    }
}
