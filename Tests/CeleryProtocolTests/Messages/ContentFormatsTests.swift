import CeleryProtocol
import Testing

@Suite("Content formats")
struct ContentFormatsTests {
    @Test("Names and content types are kombu's")
    func names() {
        let pairs = ContentFormats.all.map { [$0.name, $0.contentType, $0.contentEncoding] }
        #expect(
            pairs == [
                ["json", "application/json", "utf-8"], ["pickle", "application/x-python-serialize", "binary"],
                ["yaml", "application/x-yaml", "utf-8"], ["msgpack", "application/x-msgpack", "binary"],
                ["raw", "application/data", "binary"],
            ]
        )
        #expect(ContentFormats.named("json") == JSONFormat.self)
        #expect(ContentFormats.format(ofContentType: "application/x-yaml") == YAMLFormat.self)
        #expect(ContentFormats.named("xml") == nil)
    }

    @Test("The accept list knows names and types")
    func accept() {
        #expect(AcceptedContent(["json"]) == AcceptedContent(["application/json"]))
        #expect(AcceptedContent(["json", "xml"]).contains("application/json"))
        #expect(!AcceptedContent(["yaml"]).contains("application/json"))
        #expect(AcceptedContent(["yaml"]).contains("application/x-yaml"))
        #expect(AcceptedContent([]).contains("application/data"))
    }

    @Test(
        "A configuration hears at once of what cannot be served",
        arguments: ["pickle", "application/x-yaml", "xml", "raw"]
    )
    func validating(_ name: String) {
        #expect(code { try AcceptedContent(validating: ["json", name]) } == .unsupportedContentType)
    }

    @Test("A good configuration passes")
    func valid() throws {
        #expect(try AcceptedContent(validating: ["json"]) == .json)
        #expect(try AcceptedContent(validating: ["application/json"]) == .json)
    }
}
