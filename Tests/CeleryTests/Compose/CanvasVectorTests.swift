import CeleryProtocol
import Testing

@testable import Celery

@Suite("Workflows of many shapes are sent as Celery sends them")
struct CanvasVectorTests {
    @Test func everyKindIsThere() {
        #expect(CanvasVector.all.count > 500)
        #expect(Set(CanvasVector.all.map(\.kind)) == ["send", "step", "body", "replace"])
    }

    @Test(arguments: CanvasVector.all)
    func isCelerys(_ vector: CanvasVector) throws {
        let form = try CelerysForm(vector.composition())
        var ids: [String: String] = [:]
        let lines = try form.lines().map { MadeID.numbered($0, &ids) }
        let expected = try #require(vector.json["lines"]?.arrayValue).map { try #require($0.stringValue) }
        #expect(lines.count == expected.count)
        for (line, other) in zip(lines, expected) { #expect(line == other) }
        #expect(try form.strays().isEmpty)
        #expect(form.manifests.allSatisfy { $0.policy == .fail })
        for (key, value) in [("chords", form.chords()), ("children", form.children())] {
            let text = MadeID.numbered(String(decoding: value.serialized(), as: UTF8.self), &ids)
            guard let other = vector.json[key], !other.isNull else { continue }
            #expect(text == String(decoding: other.serialized(), as: UTF8.self), "\(key)")
        }
    }
}
