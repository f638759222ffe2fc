import Celery
import CeleryWorker
import FoundationEssentials
import Testing

@testable import CeleryCommandLine

private struct SampleApplication: CeleryApplication {
    static let name = "sample"

    static func register(_ tasks: inout TaskRegistry) throws {}
}

@Suite("graph: drawings of workflows")
struct GraphTests {
    private static func text(_ signature: Signature, _ format: GraphFormat) throws -> String {
        try GraphCommand<SampleApplication>.text(of: signature.json.serialized(), format: format)
    }

    private static var workflow: Signature {
        let header = Group([Signature("proj.a"), Chain([Signature("proj.b"), Signature("proj.c")]).signature])
        return Chain([Signature("proj.start"), header.signature, Signature("proj.sum"), Signature("proj.end")])
            .link(Signature("proj.done")).signature
    }

    @Test func aChordInAChainForGraphviz() throws {
        let expected = """
            digraph workflow {
              rankdir=LR;
              node [shape=box];
              n0 [label="proj.start"];
              n4 [label="proj.sum"];
              n5 [label="proj.end"];
              n6 [label="proj.done"];
              subgraph cluster_0 {
                label="chord";
                n1 [label="proj.a"];
                n2 [label="proj.b"];
                n3 [label="proj.c"];
              }
              n2 -> n3;
              n4 -> n5;
              n1 -> n4;
              n3 -> n4;
              n0 -> n1;
              n0 -> n2;
              n5 -> n6 [style=dashed, label="link"];
            }
            """
        #expect(try Self.text(Self.workflow, .dot) == expected)
    }

    @Test func aChordInAChainForMermaid() throws {
        let expected = """
            flowchart LR
              n0["proj.start"]
              n4["proj.sum"]
              n5["proj.end"]
              n6["proj.done"]
              subgraph f0["chord"]
                n1["proj.a"]
                n2["proj.b"]
                n3["proj.c"]
              end
              n2 --> n3
              n4 --> n5
              n1 --> n4
              n3 --> n4
              n0 --> n1
              n0 --> n2
              n5 -. link .-> n6
            """
        #expect(try Self.text(Self.workflow, .mermaid) == expected)
    }

    @Test func errbacksAndNestedGroups() throws {
        let inner = Group([Signature("b"), Signature("c")]).signature
        let outer = Group([Signature("a"), inner]).onError(Signature("oops")).signature
        let expected = """
            flowchart LR
              subgraph f0["group"]
                n0["a"]
                n1["oops"]
                subgraph f1["group"]
                  n2["b"]
                  n3["oops"]
                  n4["c"]
                  n5["oops"]
                end
              end
              n0 -. link_error .-> n1
              n2 -. link_error .-> n3
              n4 -. link_error .-> n5
            """
        #expect(try Self.text(outer, .mermaid) == expected)
        // An errback of a chain is one of all its steps.
        let chain = Chain([Signature("a"), Signature("b")]).onError(Signature("oops")).signature
        #expect(
            try Self.text(chain, .mermaid).split(separator: "\n").suffix(3)
                == ["  n0 --> n1", "  n0 -. link_error .-> n2", "  n1 -. link_error .-> n2"]
        )
    }

    @Test func frozenHeadersEmptyGroupsAndMaps() throws {
        let header: JSONValue = [
            "task": "celery.group", "subtask_type": "group", "kwargs": ["tasks": [["task": "a"], ["task": "b"]]],
        ]
        let chord: JSONValue = [
            "task": "celery.chord", "subtask_type": "chord", "kwargs": ["header": header, "body": ["task": "sum"]],
        ]
        let text = try GraphCommand<SampleApplication>.text(of: chord.serialized(), format: .mermaid)
        #expect(text.hasSuffix("  n0 --> n2\n  n1 --> n2"))
        let empty = Signature.chain(of: [Signature("a"), Group<JSONValue>().signature, Signature("b")])
        #expect(try Self.text(empty, .mermaid).hasSuffix("  n0 --> n1"))
        let map = Map(TaskName("proj.double", Int.self, returning: Int.self), [1]).signature
        #expect(try Self.text(map, .mermaid) == "flowchart LR\n  n0[\"celery.map(proj.double)\"]")
    }

    @Test func namesCannotLeaveTheirPlace() throws {
        let nasty = Signature("a\"];\n evil[label=\"\\x<b>&#`\u{202e}")
        #expect(try Self.text(nasty, .dot).contains(#"  n0 [label="a\"]; evil[label=\"\\x<b>&#` "];"#) == false)
        let dot = try Self.text(nasty, .dot).split(separator: "\n")
        #expect(dot.count == 5)
        #expect(dot[3] == #"  n0 [label="a\"];  evil[label=\"\\x<b>&#` "];"#)
        let mermaid = try Self.text(nasty, .mermaid).split(separator: "\n")
        #expect(mermaid.last == #"  n0["a#quot;];  evil[label=#quot;\x#lt;b#gt;#amp;#35;#96; "]"#)
        let long = try Self.text(Signature(String(repeating: "x", count: 1_000)), .mermaid)
        #expect(long.count < 200)
        #expect(long.hasSuffix("…\"]"))
    }

    @Test func whatCannotBeDrawn() throws {
        for text in [
            "", "{", "[]", #"{"args": []}"#,
            #"{"task": "celery.chain", "subtask_type": "chain", "kwargs": {"tasks": [1]}}"#,
        ] {
            let failure = #expect(throws: CommandFailure.self) {
                try GraphCommand<SampleApplication>.text(of: Array(text.utf8), format: .dot)
            }
            #expect(failure?.message.hasPrefix("The signature cannot be read: ") == true)
        }
        let many = Signature.group(of: Array(repeating: Signature("a"), count: WorkflowGraph.mostNodes + 1))
        let tooMany = #expect(throws: CommandFailure.self) { try Self.text(many, .dot) }
        #expect(tooMany?.message == "The signature cannot be drawn: the workflow has more than 10000 tasks")
        let wide = Signature.group(of: Array(repeating: Signature("a"), count: 300))
        let crossing = Signature.chain(of: [wide, wide])
        let tooDense = #expect(throws: CommandFailure.self) { try Self.text(crossing, .dot) }
        #expect(tooDense?.message == "The signature cannot be drawn: the drawing has more than 50000 arrows")
    }

    @Test func theCommandReadsAFile() async throws {
        let tool = CommandLineTool<SampleApplication>(variables: CommandEnvironment([:]))
        guard case .command(let command) = tool.read(["graph", "x.json", "--format", "mermaid"]) else {
            Issue.record("no command")
            return
        }
        let graph = try #require(command as? GraphCommand<SampleApplication>)
        #expect(graph.file == "x.json")
        #expect(graph.format == .mermaid)
        guard case .text(_, let status) = tool.read(["graph", "--format", "png"]) else {
            Issue.record("a command")
            return
        }
        #expect(status == .usage)
        let file = FileManager.default.temporaryDirectory.appending(path: "graph-\(UUID().uuidString).json")
        try Data(Signature("a").json.serialized()).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        #expect(try InputFile(path: file.path).read() == Signature("a").json.serialized())
        let missing = #expect(throws: CommandFailure.self) { try InputFile(path: "/nowhere/at/all").read() }
        #expect(missing?.message == "Cannot read '/nowhere/at/all': No such file or directory")
    }
}
