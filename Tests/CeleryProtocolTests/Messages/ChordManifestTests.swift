import CeleryProtocol
import FoundationEssentials
import Testing

@Suite("Chord manifest")
struct ChordManifestTests {
    private static let body = SignatureWire(task: "proj.sum", options: ["task_id": "b", "reply_to": "caller"]).json

    @Test("what is written is read back")
    func roundTrip() throws {
        let manifest = ChordManifest(
            groupID: "g",
            members: [.init(id: "one", replyTo: "caller"), .init(id: "two")],
            body: Self.body,
            rootID: "r",
            policy: .continue,
            deadline: WireDate(Date(timeIntervalSince1970: 1_800_000_000))
        )
        let bytes = manifest.json.serialized()
        #expect(try ChordManifest(decoding: JSONValue(parsing: bytes)) == manifest)
    }

    @Test("only version, group, members and body have to be there")
    func least() throws {
        let manifest = try ChordManifest(
            decoding: ["version": 1, "group_id": "g", "members": [["a", nil]], "body": Self.body]
        )
        #expect(manifest == ChordManifest(groupID: "g", members: [.init(id: "a")], body: Self.body))
    }

    @Test(
        "what nobody can wait for is refused",
        arguments: [
            nil, [:],
            ["version": 2, "group_id": "g", "members": [["a", nil]], "body": [:]],
            ["version": 1, "members": [["a", nil]], "body": [:]],
            ["version": 1, "group_id": "g", "members": [], "body": [:]],
            ["version": 1, "group_id": "g", "members": [["a"]], "body": [:]],
            ["version": 1, "group_id": "g", "members": [["a", nil], ["a", nil]], "body": [:]],
            ["version": 1, "group_id": "g", "members": [["a", nil]]],
            ["version": 1, "group_id": "g", "members": [["a", nil]], "body": [:], "policy": "maybe"],
            ["version": 1, "group_id": "g", "members": [["a", nil]], "body": [:], "deadline": "soon"],
        ] as [JSONValue]
    )
    func refused(_ json: JSONValue) {
        #expect(throws: ProtocolError.self) { try ChordManifest(decoding: json) }
    }
}
