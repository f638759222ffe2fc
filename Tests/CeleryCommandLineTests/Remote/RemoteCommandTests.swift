import Celery
import Testing

@testable import CeleryCommandLine

@Suite("Commands of remote control")
struct RemoteCommandTests {
    private func arguments(_ kind: RemoteCommand.Kind, _ words: String...) throws -> JSONObject {
        try RemoteCommand.named(words[0], kind).arguments(Array(words.dropFirst()))
    }

    @Test func argumentsStandInCelerysOrder() throws {
        #expect(try arguments(.inspect, "ping") == [:])
        #expect(try arguments(.inspect, "conf", "yes") == ["with_defaults": .bool(true)])
        #expect(try arguments(.inspect, "query_task", "a", "b") == ["ids": ["a", "b"]])
        #expect(try arguments(.inspect, "registered") == ["taskinfoitems": []])
        #expect(try arguments(.control, "revoke", "a") == ["task_id": ["a"]])
        #expect(try arguments(.control, "terminate", "KILL", "a", "b") == ["signal": "KILL", "task_id": ["a", "b"]])
        #expect(try arguments(.control, "rate_limit", "t", "5/m") == ["task_name": "t", "rate_limit": "5/m"])
        #expect(
            try arguments(.control, "time_limit", "t", "1", "2.5")
                == ["task_name": "t", "soft": .double(1), "hard": .double(2.5)]
        )
        #expect(
            try arguments(.control, "add_consumer", "q", "x", "topic", "k")
                == ["queue": "q", "exchange": "x", "exchange_type": "topic", "routing_key": "k"]
        )
        #expect(try arguments(.control, "pool_grow", "2") == ["n": .int(2)])
        #expect(try arguments(.control, "autoscale", "5", "2") == ["max": .int(5), "min": .int(2)])
        #expect(try arguments(.control, "rate_limit", "t") == ["task_name": "t"])
    }

    @Test(arguments: [
        (RemoteCommand.Kind.inspect, ["ping", "x"]), (.inspect, ["conf", "maybe"]), (.control, ["pool_grow", "two"]),
        (.control, ["time_limit", "t", "inf"]), (.inspect, ["shutdown"]), (.control, ["ping"]), (.control, [""]),
    ])
    func othersAreErrorsOfUsage(kind: RemoteCommand.Kind, words: [String]) {
        let failure = #expect(throws: CommandFailure.self) {
            try RemoteCommand.named(words[0], kind).arguments(Array(words.dropFirst()))
        }
        #expect(failure?.status == .usage)
    }

    @Test func listShowsWhatCelerysDoes() {
        let inspect = RemoteCommandList.text(.inspect).split(separator: "\n").map(String.init)
        #expect(inspect[0] == "Inspect Commands:")
        #expect(inspect[1] == "  active                                List of tasks currently being executed.")
        #expect(RemoteCommand.all(.inspect).count == 15)
        #expect(RemoteCommand.all(.control).count == 16)
        #expect(RemoteCommandList.text(.control).contains("  terminate <signal> [id1 [id2 [... [idN]]]]\n"))
    }
}

@Suite("Replies as text")
struct ReplyTextTests {
    private func lines(
        _ value: JSONValue,
        _ command: String = "",
        quiet: Bool = false,
        colored: Bool = false
    ) -> [String] {
        let text = ReplyText(style: TextStyle(isColored: colored), isQuiet: quiet, command: command)
        return text.lines(ControlReply(node: "w@h", value: value, ticket: nil), showsBody: true)
    }

    @Test func isAsCelerysPretty() {
        #expect(lines(["ok": "pong"]) == ["->  w@h: OK", "        pong"])
        #expect(lines(["error": "unknown task"]) == ["->  w@h: ERROR", "        unknown task"])
        #expect(lines([]) == ["->  w@h: OK", "    - empty -"])
        #expect(lines(["a", "b"]) == ["->  w@h: OK", "    * a", "    * b"])
        #expect(
            lines(["b": .int(1), "a": [.bool(true), .null]]) == [
                "->  w@h: OK", "    {", "        \"a\": [", "            true,", "            null", "        ],",
                "        \"b\": 1",
                "    }",
            ]
        )
        #expect(lines(.null) == ["->  w@h: OK", "    None"])
        #expect(lines(["ok": "x"], quiet: true).first == " w@h: OK")
        #expect(lines("two\nlines") == ["->  w@h: OK", "    two", "    lines"])
    }

    @Test func coloursAreClicks() {
        #expect(
            lines(["ok": "x"], colored: true).first
                == "\u{1B}[1m->\u{1B}[0m  \u{1B}[36m\u{1B}[1mw@h: \u{1B}[0m\u{1B}[32m\u{1B}[1mOK\u{1B}[0m"
        )
    }

    @Test func footersCount() {
        let text = ReplyText(style: TextStyle(isColored: false), isQuiet: false)
        #expect(text.footer(1) == ["", "1 node online."])
        #expect(text.footer(2) == ["", "2 nodes online."])
    }

    @Test func tasksStandInATable() {
        let task: JSONValue = [
            "id": "1", "name": "proj.add", "args": [.int(1), .int(2)], "kwargs": [:],
            "delivery_info": ["routing_key": "q"],
        ]
        #expect(
            lines([task], "reserved") == [
                "->  w@h: OK", "    ID  TASK      ARGS    KWARGS  QUEUE", "    1   proj.add  [1, 2]  {}      q",
            ]
        )
        let waiting: JSONValue = ["eta": "2026-01-31T13:05:09", "priority": .int(6), "request": task]
        #expect(lines([waiting], "scheduled").last == "    2026-01-31T13:05:09  6         1   proj.add  [1, 2]  {}")
        // What is no task is shown as it is.
        #expect(lines([["x": .int(1)]], "active").last == "    * {'x': 1}")
    }

    @Test func queuesStandInATable() {
        let queue: JSONValue = [
            "name": "celery", "exchange": ["name": "celery", "type": "direct"], "routing_key": "celery",
            "durable": .bool(true), "exclusive": .bool(false), "auto_delete": .bool(false), "queue_arguments": .null,
        ]
        let row = "    celery  celery    direct  celery       yes      no         no           "
        #expect(lines([queue], "active_queues").last == row)
    }

    @Test func nothingFromOutsideSteersTheTerminal() {
        #expect(lines(["ok": "a\u{1B}[2Jb"]).last == "        a\\x1b[2Jb")
        #expect(lines(["\u{9B}31m"]).last == "    * \\x9b31m")
    }

    @Test func jsonIsCelerys() {
        let replies = [
            ControlReply(node: "a", value: ["ok": "pong"], ticket: nil),
            ControlReply(node: "b", value: [.int(1)], ticket: nil),
        ]
        #expect(JSONText.line(RemoteCommandRun.map(replies)) == #"{"a": {"ok": "pong"}, "b": [1]}"#)
        #expect(JSONText.line(RemoteCommandRun.list(replies)) == #"[{"a": {"ok": "pong"}}, {"b": [1]}]"#)
    }
}

@Suite("Texts on a terminal")
struct DisplayTextTests {
    @Test func widthsAreThoseOfTheTerminal() {
        #expect(DisplayText.width("abc") == 3)
        #expect(DisplayText.width("日本") == 4)
        #expect(DisplayText.width("e\u{301}") == 1)
        #expect(DisplayText.width("🚀") == 2)
    }

    @Test func textsAreCutAndPadded() {
        #expect(DisplayText.fitted("abcdef", to: 4) == "abc…")
        #expect(DisplayText.fitted("日本語", to: 4) == "日… ")
        #expect(DisplayText.fitted("ab", to: 4) == "ab  ")
        #expect(DisplayText.cut("ab", to: 0) == "")
        #expect(DisplayText.wrapped("abcde\nf", to: 2) == ["ab", "cd", "e", "f"])
        #expect(DisplayText.plain("a\nb\u{202E}") == "a\\nb\\u202e")
    }

    @Test func timesArePythons() {
        #expect(ClockText.python(1_700_000_000) == "2023-11-14 22:13:20+00:00")
        #expect(ClockText.python(1_700_000_000.25) == "2023-11-14 22:13:20.250000+00:00")
        #expect(ClockText.python(1_700_000_000.9999999) == "2023-11-14 22:13:21+00:00")
        #expect(ClockText.python(.nan) == "nan")
    }
}
