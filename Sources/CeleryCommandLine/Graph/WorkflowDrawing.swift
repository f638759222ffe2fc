import Celery
import CeleryProtocol

/// Makes the boxes and arrows of a signature.
struct WorkflowDrawing {
    /// The tasks with which a part of the workflow begins and ends, and all tasks of it apart from callbacks.
    private struct Part {
        var first: [Int] = []
        var last: [Int] = []
        var all: [Int] = []
    }

    private var graph = WorkflowGraph()

    private init() {}

    /// The graph of a signature.
    ///
    /// - Throws: `CommandFailure` where a part of it cannot be read, or where it is too large to be drawn.
    static func graph(of signature: SignatureWire) throws -> WorkflowGraph {
        var drawing = WorkflowDrawing()
        do {
            _ = try drawing.draw(signature, frame: nil)
        } catch let error as WorkflowGraph.TooLarge {
            throw CommandFailure("The signature cannot be drawn: \(error)")
        } catch let error as ProtocolError {
            throw CommandFailure("The signature cannot be read: \(error.message)")
        }
        return drawing.graph
    }

    /// As deep as the reader of JSON allows.
    private mutating func draw(_ signature: SignatureWire, frame: Int?) throws -> Part {
        let part: Part
        switch signature.subtaskType {
        case "chain": part = try drawChain(signature, frame)
        case "group": part = try drawFrame("group", Self.signatures(signature.kwargs["tasks"]), frame)
        case "chord": part = try drawChord(signature, frame)
        default:
            let node = try graph.add(WorkflowGraph.Node(label: Self.label(of: signature), frame: frame))
            part = Part(first: [node], last: [node], all: [node])
        }
        try drawLinks(signature, of: part, frame)
        return part
    }

    private mutating func drawChain(_ chain: SignatureWire, _ frame: Int?) throws -> Part {
        var whole = Part()
        for step in try Self.signatures(chain.kwargs["tasks"]) {
            let part = try draw(step, frame: frame)
            // An empty group is no step.
            if part.all.isEmpty { continue }
            try graph.connect(whole.last, part.first)
            if whole.first.isEmpty { whole.first = part.first }
            whole.last = part.last
            whole.all += part.all
        }
        return whole
    }

    private mutating func drawFrame(_ label: String, _ members: [SignatureWire], _ frame: Int?) throws -> Part {
        var whole = Part()
        if members.isEmpty { return whole }
        let own = try graph.add(WorkflowGraph.Frame(label: label, parent: frame))
        for member in members {
            let part = try draw(member, frame: own)
            whole.first += part.first
            whole.last += part.last
            whole.all += part.all
        }
        return whole
    }

    /// The header is a list, or a group's signature where it was frozen.
    private mutating func drawChord(_ chord: SignatureWire, _ frame: Int?) throws -> Part {
        let header = chord.kwargs["header"]
        let members = header?.arrayValue.map(JSONValue.array) ?? header?["kwargs"]?["tasks"]
        var whole = try drawFrame("chord", Self.signatures(members), frame)
        guard let body = chord.kwargs["body"], !body.isNull else { return whole }
        let part = try draw(SignatureWire(decoding: body), frame: frame)
        try graph.connect(whole.last, part.first)
        if whole.first.isEmpty { whole.first = part.first }
        whole.last = part.last
        whole.all += part.all
        return whole
    }

    /// A callback follows the last task, an errback any.
    private mutating func drawLinks(_ signature: SignatureWire, of part: Part, _ frame: Int?) throws {
        for link in try Self.signatures(signature.options["link"]) {
            try graph.connect(part.last, try draw(link, frame: frame).first, "link")
        }
        for link in try Self.signatures(signature.options["link_error"]) {
            let failing = signature.subtaskType == "chord" ? part.last : part.all
            try graph.connect(failing, try draw(link, frame: frame).first, "link_error")
        }
    }

    private static func signatures(_ json: JSONValue?) throws(ProtocolError) -> [SignatureWire] {
        guard let json, !json.isNull else { return [] }
        var signatures: [SignatureWire] = []
        for element in json.arrayValue ?? [json] { signatures.append(try SignatureWire(decoding: element)) }
        return signatures
    }

    /// The name; of a task that runs another one many times with that one's.
    private static func label(of signature: SignatureWire) -> String {
        guard ["celery.map", "celery.starmap", "celery.chunks"].contains(signature.task),
            let inner = signature.kwargs["task"]?["task"]?.stringValue
        else { return signature.task }
        return "\(signature.task)(\(inner))"
    }
}
