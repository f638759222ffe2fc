import Celery
import Testing

@testable import CeleryWorker

/// Expected names were taken from Celery 5.7's `host_format(default_nodename(…))`.
@Suite struct NodeNameTests {
    @Test(arguments: [
        ("w1@%h", "w1@box.example.org"),
        ("w1@%n", "w1@box"),
        ("%n@%d", "box@example.org"),
        ("w1", "celery@w1"),
        ("%h", "celery@box.example.org"),
        ("@x", "celery@x"),
        ("w@", "w@box.example.org"),
        ("a@b@c", "a@b@c"),
        ("100%%@x", "100%@x"),
        ("", "celery@box.example.org"),
        ("w%i%I@x", "w0@x"),
    ])
    func expandsAsCelery(text: String, expected: String) throws {
        #expect(try NodeName(expanding: text, machine: "box.example.org").description == expected)
    }

    @Test func aMachineWithoutDomainHasAnEmptyDomain() throws {
        #expect(try NodeName(expanding: "w1@%n%d", machine: "box").description == "w1@box")
    }

    @Test(arguments: ["w@%z", "w@100%", "a\u{7}@x", String(repeating: "x", count: 300)])
    func refusesWhatCannotBeAName(text: String) {
        #expect(throws: CeleryError.self) { try NodeName(expanding: text, machine: "box") }
    }
}
