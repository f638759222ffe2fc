import Celery
import Testing

@testable import CeleryCommandLine

@Suite("Events as lines")
struct EventDumpTests {
    private func event(_ type: String, _ fields: JSONObject) -> ClusterEvent {
        let common: JSONObject = ["hostname": "w@h", "timestamp": .double(1_700_000_000.5), "type": .string(type)]
        return ClusterEvent(type: type, fields: common.merging(fields) { $1 })
    }

    // What Celery's Dumper prints for the same events.
    @Test func linesAreCelerys() {
        var dump = EventDump()
        #expect(
            dump.line(
                event("worker-heartbeat", ["loadavg": [.double(0.5), .int(1)], "active": .int(0), "pid": .null])
            )
                == "w@h [2023-11-14 22:13:20.500000+00:00] heartbeat: active=0, loadavg=[0.5, 1], pid=None"
        )
        #expect(
            dump.line(
                event(
                    "task-received",
                    ["uuid": "1", "name": "add", "args": "(1, 2)", "kwargs": "{}", "retries": .int(0)]
                )
            ) == "w@h [2023-11-14 22:13:20.500000+00:00] task received: add(1) args=(1, 2) kwargs={} retries=0"
        )
        #expect(
            dump.line(event("task-started", ["uuid": "1"]))
                == "w@h [2023-11-14 22:13:20.500000+00:00] task started add(1) args=(1, 2) kwargs={} "
        )
        #expect(
            dump.line(event("task-failed", ["uuid": "2", "exception": "E('x')", "ok": .bool(true)]))
                == "w@h [2023-11-14 22:13:20.500000+00:00] task failed:  exception=E('x'), ok=True"
        )
        #expect(dump.line(event("worker-online", [:])) == "w@h [2023-11-14 22:13:20.500000+00:00] started ")
    }

    @Test func whatIsMissingStopsNothing() {
        var dump = EventDump()
        let empty = ClusterEvent(type: "task-received", fields: [:])
        #expect(dump.line(empty) == "None [-] task received None(None) args=None kwargs=None ")
        #expect(dump.line(ClusterEvent(type: "x", fields: ["hostname": "\u{1B}c"])) == "\\x1bc [-] x ")
    }
}
