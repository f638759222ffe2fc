import AMQP
import CeleryProtocol

/// Makes damage that is the same in every run.
struct Mutator {
    private var state: UInt64

    init(seed: String) {
        state = seed.utf8.reduce(14_695_981_039_346_656_037) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
    }

    /// SplitMix64.
    private mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    private mutating func below(_ bound: Int) -> Int { bound < 1 ? 0 : Int(next() % UInt64(bound)) }

    mutating func damaged(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0...below(4) { damage(&bytes) }
        return bytes
    }

    private mutating func damage(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else { return }
        let place = below(bytes.count)
        switch below(7) {
        case 0: bytes[place] ^= 1 << UInt8(below(8))
        case 1: bytes[place] = UInt8(below(256))
        case 2: bytes.removeSubrange(place...)
        case 3: bytes.removeSubrange(place..<min(bytes.count, place + 1 + below(8)))
        case 4: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 1 + below(30))], at: place)
        case 5: bytes.insert(contentsOf: Self.tokens[below(Self.tokens.count)], at: place)
        default: bytes.insert(contentsOf: [UInt8](repeating: UInt8(ascii: "["), count: below(300)), at: place)
        }
    }

    private static let tokens: [[UInt8]] = [
        "null", "[", "]", "{", "}", #"""#, ",", ":", "NaN", "-Infinity", "1e999", "99999999999999999999", #""\ud800""#,
        #"{"__type__": "datetime", "__value__": "x"}"#, #"{"__type__": 1, "__value__": 1}"#, #""args""#, "\\u0000",
    ].map { Array($0.utf8) }

    mutating func damaged(_ table: FieldTable) -> FieldTable {
        var fields = table.fields
        for _ in 0...below(3) {
            let place = below(fields.count)
            switch below(5) {
            case 0 where !fields.isEmpty: fields.remove(at: place)
            case 1 where !fields.isEmpty: fields.append(fields[place])
            case 2 where !fields.isEmpty: fields[place].name = String(fields[place].name.dropLast())
            case 3: fields.append(.init("x", field(depth: 0)))
            default: if !fields.isEmpty { fields[place].value = field(depth: 0) }
            }
        }
        return FieldTable(fields)
    }

    private mutating func field(depth: Int) -> FieldValue {
        switch below(depth > 2 ? 11 : 13) {
        case 0: .void
        case 1: .bool(true)
        case 2: .int8(.min)
        case 3: .int32(.max)
        case 4: .longLong(.max)
        case 5: .int64(.min)
        case 6: .double(.nan)
        case 7: .double(-.infinity)
        case 8: .string(["", "application/x-gzip", "\u{0}", "task"][below(4)])
        case 9: .longBytes([0xff, 0xfe])
        case 10: .timestamp(.max)
        case 11: .array((0..<below(4)).map { _ in field(depth: depth + 1) })
        default: .table(FieldTable((0..<below(4)).map { .init("k\($0)", field(depth: depth + 1)) }))
        }
    }

    private static let keys = [
        "task", "id", "args", "kwargs", "options", "callbacks", "chain", "exc_type", "exc_message", "status", "task_id",
        "children", "timelimit", "taskset", "utc", "stamped_headers", "__type__", "__value__", "subtask_type",
        "immutable",
    ]

    mutating func value(depth: Int) -> JSONValue {
        switch below(depth > 3 ? 8 : 14) {
        case 0: return nil
        case 1: return .bool(below(2) == 0)
        case 2: return .int([0, -1, .max, .min][below(4)])
        case 3: return .double([0.5, .nan, .infinity, 1e300][below(4)])
        case 4: return .string(Self.keys[below(Self.keys.count)])
        case 5: return .bigInteger("123456789012345678901234567890")
        case 6: return .bytes([0xff, 0x00])
        case 7: return .decimal("1E+3")
        case 8...10: return .array((0..<below(4)).map { _ in value(depth: depth + 1) })
        default:
            var entries: JSONObject = [:]
            for _ in 0..<below(6) { entries[Self.keys[below(Self.keys.count)]] = value(depth: depth + 1) }
            return .object(entries)
        }
    }
}
