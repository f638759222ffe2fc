import AMQP
import CeleryProtocol
import Testing

@Suite("Task headers")
struct TaskHeadersTests {
    @Test("New headers are written whole, in Celery's order and types")
    func written() {
        var headers = TaskHeaders(task: "tasks.add", id: "id-1")
        headers.origin = "gen1@host"
        headers.argsrepr = "(2, 3)"
        headers.kwargsrepr = "{}"
        headers.ignoreResult = false
        let expected: FieldTable = [
            "lang": "py", "task": "tasks.add", "id": "id-1", "shadow": .void, "eta": .void, "expires": .void,
            "group": .void, "group_index": .void, "retries": .int32(0), "timelimit": .array([.void, .void]),
            "root_id": "id-1", "parent_id": .void, "argsrepr": "(2, 3)", "kwargsrepr": "{}", "origin": "gen1@host",
            "ignore_result": false, "replaced_task_nesting": .int32(0), "stamped_headers": .void, "stamps": .table([:]),
        ]
        #expect(headers.encoded() == expected)
    }

    @Test("Everything that is set comes back")
    func roundTrip() throws {
        var headers = TaskHeaders(task: "t", id: "i")
        headers.lang = "swift"
        headers.shadow = "nice.name"
        headers.eta = "2099-06-01T12:00:00"
        headers.expires = "2099-06-01T12:00:00+05:30"
        headers.group = "g"
        headers.groupIndex = 4
        headers.retries = 2
        headers.hardLimit = .integer(60)
        headers.softLimit = .float(45.5)
        headers.rootID = "r"
        headers.parentID = "p"
        headers.argsrepr = "()"
        headers.kwargsrepr = "{}"
        headers.origin = "gen1@host"
        headers.ignoreResult = true
        headers.replacedTaskNesting = 1
        headers.stampedHeaders = ["color"]
        headers.stamps = ["color": "red"]
        headers.compression = "application/x-gzip"
        headers.custom = ["x": 1, "when": .timestamp(7), "raw": .longBytes([0xff])]
        let table = headers.encoded()
        #expect(try TaskHeaders(decoding: table) == headers)
        #expect(table.fields.last == .init("compression", "application/x-gzip"))
    }

    @Test("Only task and id are required")
    func minimal() throws {
        let headers = try TaskHeaders(decoding: Samples.headers)
        #expect(headers.task == "tasks.add")
        #expect(headers.id == "id-1")
        #expect(headers.rootID == nil)
        #expect(headers.ignoreResult == nil)
        #expect(headers.timeLimit == nil)
    }

    @Test("The order does not matter, and of equal names the last one counts")
    func order() throws {
        let reversed = FieldTable(TaskHeaders(task: "t", id: "i").encoded().fields.reversed())
        #expect(try TaskHeaders(decoding: reversed) == TaskHeaders(task: "t", id: "i"))
        let repeated: FieldTable = ["task": "a", "id": "i", "retries": 1, "task": "b", "retries": .void]
        let headers = try TaskHeaders(decoding: repeated)
        #expect(headers.task == "b")
        #expect(headers.retries == 0)
    }

    @Test("Any width of integers is read")
    func integers() throws {
        let widths: [FieldValue] = [
            .int8(3), .uint8(3), .int16(3), .uint16(3), .int32(3), .uint32(3), .int64(3), .longLong(3),
        ]
        for value in widths {
            let headers = try TaskHeaders(decoding: Samples.headers(with: "retries", value))
            #expect(headers.retries == 3)
            #expect(headers.encoded()["retries"] == .int32(3))
        }
    }

    @Test("Unknown headers keep their order, type and repetition")
    func custom() throws {
        var table = TaskHeaders(task: "t", id: "i").encoded()
        table.append("x-death", .array([.table(["count": .int64(1)])]))
        table.append("meth", .void)
        table.append("x", .uint16(3))
        table.append("x", .uint16(4))
        #expect(try TaskHeaders(decoding: table).encoded() == table)
    }

    @Test("Custom headers override standard ones where those stand")
    func override() {
        var headers = TaskHeaders(task: "t", id: "i")
        headers.custom = ["my": 1, "lang": "sv", "root_id": .void, "compression": "mine"]
        let table = headers.encoded()
        #expect(table.fields[0] == .init("lang", "sv"))
        #expect(table.fields[10] == .init("root_id", .void))
        #expect(table.fields.suffix(2).map(\.name) == ["my", "compression"])
        headers.compression = "application/zstd"
        #expect(
            headers.encoded().fields.filter { $0.name == "compression" } == [.init("compression", "application/zstd")]
        )
    }

    @Test("A missing or null task or id is told by name", arguments: ["task", "id"])
    func missing(_ name: String) {
        for table in [Samples.headers(without: name), Samples.headers(with: name, .void)] {
            #expect(code { try TaskHeaders(decoding: table) } == .missingHeader)
            #expect(message { try TaskHeaders(decoding: table) }?.contains("'\(name)'") == true)
        }
    }

    static let wrongTypes: [(String, FieldValue)] = [
        ("lang", 1), ("task", 1), ("task", .longBytes([0xff])), ("id", .array([])), ("id", .bytes([0x61])),
        ("shadow", true), ("eta", .timestamp(1)), ("expires", .double(1.5)), ("group", .table([:])),
        ("group_index", "1"),
        ("retries", "1"), ("retries", .double(1)), ("retries", true), ("retries", -1), ("retries", .longLong(1 << 40)),
        ("timelimit", 60), ("timelimit", .array([60])), ("timelimit", .array([60, 50, 40])),
        ("timelimit", .array(["60", .void])), ("timelimit", .array([.double(.nan), .void])),
        ("timelimit", .array([.void, .double(.infinity)])), ("timelimit", .array([.longLong(.max), .void])),
        ("timelimit", .array([.longLong(.min), .void])), ("timelimit", .array([.double(1e300), .void])),
        ("root_id", 1), ("parent_id", 1), ("argsrepr", .array([])), ("kwargsrepr", .table([:])), ("origin", 1),
        ("ignore_result", 1), ("ignore_result", "true"), ("replaced_task_nesting", "0"),
        ("replaced_task_nesting", .longLong(.max)), ("stamped_headers", "color"), ("stamped_headers", .array([1])),
        ("stamps", .array([])), ("compression", 1),
    ]

    @Test("A wrong type is told by the header's name", arguments: wrongTypes)
    func wrongType(_ name: String, _ value: FieldValue) {
        let table = Samples.headers(with: name, value)
        #expect(code { try TaskHeaders(decoding: table) } == .wrongHeaderType)
        #expect(message { try TaskHeaders(decoding: table) }?.contains("'\(name)'") == true)
    }

    @Test("Every standard header may be null but two")
    func nulls() throws {
        var table = FieldTable(TaskHeaders(task: "t", id: "i").encoded().map { FieldTable.Field($0.name, .void) })
        table["task"] = "t"
        table["id"] = "i"
        var expected = TaskHeaders(task: "t", id: "i")
        expected.rootID = nil
        #expect(try TaskHeaders(decoding: table) == expected)
    }

    @Test("Time limits: hard first, whole numbers as integers, zero falls back")
    func timeLimits() throws {
        var headers = TaskHeaders(task: "t", id: "i")
        headers.timeLimit = 60
        headers.softTimeLimit = 45.5
        #expect(headers.encoded()["timelimit"] == .array([.int32(60), .double(45.5)]))
        headers.timeLimit = .nan
        headers.softTimeLimit = nil
        #expect(headers.encoded()["timelimit"] == .array([.void, .void]))
        headers = try TaskHeaders(decoding: Samples.headers(with: "timelimit", .array([.double(60), .int32(0)])))
        #expect(headers.hardLimit == .float(60))
        #expect(headers.hardLimit.duration == .seconds(60))
        #expect(headers.softTimeLimit == 0)
        #expect(headers.softLimit.duration == nil)
        #expect(try TaskHeaders(decoding: Samples.headers(with: "timelimit", .array([]))).timeLimit == nil)
        #expect(TimeLimit.float(.infinity).duration == nil)
        #expect(TimeLimit.integer(.max).duration == nil)
    }

    @Test("The shown name is the shadow, where there is one")
    func displayName() {
        var headers = TaskHeaders(task: "t", id: "i")
        #expect(headers.displayName == "t")
        headers.shadow = ""
        #expect(headers.displayName == "t")
        headers.shadow = "s"
        #expect(headers.displayName == "s")
    }
}
