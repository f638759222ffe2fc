import CeleryProtocol
import FoundationEssentials

struct Picture: Codable, Equatable {
    var url: String
    var width: Int?
    var tags: [String] = []
}

enum Shape: Codable, Equatable {
    case circle(radius: Double)
    case label(String, size: Int)
    case empty
}

enum Colour: String, Codable {
    case red
    case green
}

struct ExtendedTypes: Codable, Equatable {
    var date: Date
    var data: Data
    var id: UUID
    var price: Decimal
    var page: URL
    var moment: WireDate
    var anything: JSONValue
    var options: JSONObject
}

/// Writes its own properties through a superclass's place, as classes do.
class Animal: Codable {
    var legs: Int

    init(legs: Int) { self.legs = legs }
}

final class Dog: Animal {
    var name: String

    private enum Key: String, CodingKey {
        case name
        case parent
    }

    init(legs: Int, name: String) {
        self.name = name
        super.init(legs: legs)
    }

    required init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        name = try container.decode(String.self, forKey: .name)
        try super.init(from: container.superDecoder())
    }

    override func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(name, forKey: .name)
        try super.encode(to: container.superEncoder())
    }
}

/// Uses every kind of nested container.
struct NestedContainers: Codable, Equatable {
    var x: Int
    var list: [Int]
    var last: String

    private enum Key: String, CodingKey {
        case inner
        case list
    }

    private enum InnerKey: String, CodingKey {
        case x
        case deep
    }

    init(x: Int, list: [Int], last: String) {
        self.x = x
        self.list = list
        self.last = last
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        let inner = try container.nestedContainer(keyedBy: InnerKey.self, forKey: .inner)
        x = try inner.decode(Int.self, forKey: .x)
        var deep = try inner.nestedUnkeyedContainer(forKey: .deep)
        var deepest = try deep.nestedUnkeyedContainer()
        last = try deepest.nestedContainer(keyedBy: InnerKey.self).decode(String.self, forKey: .x)
        var numbers = try container.nestedUnkeyedContainer(forKey: .list)
        list = []
        while !numbers.isAtEnd { list.append(try Int(from: numbers.superDecoder())) }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        var inner = container.nestedContainer(keyedBy: InnerKey.self, forKey: .inner)
        try inner.encode(x, forKey: .x)
        var deep = inner.nestedUnkeyedContainer(forKey: .deep)
        var deepest = deep.nestedUnkeyedContainer()
        var innermost = deepest.nestedContainer(keyedBy: InnerKey.self)
        try innermost.encode(last, forKey: .x)
        var numbers = container.nestedUnkeyedContainer(forKey: .list)
        for number in list { try number.encode(to: numbers.superEncoder()) }
    }
}

/// A list that nests as deep as it is long.
indirect enum NestedLinks: Codable {
    case end
    case link(NestedLinks)

    static func ofLength(_ length: Int) -> NestedLinks {
        var chain = NestedLinks.end
        for _ in 0..<length { chain = .link(chain) }
        return chain
    }
}

/// Asks for two containers of different kinds.
struct Contradiction: Encodable {
    func encode(to encoder: any Encoder) throws {
        var list = encoder.unkeyedContainer()
        try list.encode(1)
        var single = encoder.singleValueContainer()
        try single.encode("x")
    }
}

/// Never gets to an end.
struct Bottomless: Codable {
    init() {}

    init(from decoder: any Decoder) throws {
        self = try decoder.singleValueContainer().decode(Bottomless.self)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self)
    }
}
