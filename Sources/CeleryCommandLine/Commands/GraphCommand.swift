import ArgumentParser
import Celery
import CeleryProtocol

/// `graph [FILE]`: draws a signature.
struct GraphCommand<Application: CeleryApplication>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "graph",
            abstract: "Draw a workflow.",
            usage: "\(ExecutableName.current) graph [file] [--format dot|mermaid]",
            discussion: """
                Reads a signature as JSON, such as Python's json.dumps(chain(…)), and prints it as text for Graphviz or \
                Mermaid: tasks as boxes, groups and the headers of chords as frames around theirs, the order of running as \
                arrows, callbacks (link) and errbacks (link_error) as dashed ones.
                """
        )
    }

    @Argument(help: "The file with the signature. (default: standard input, as for '-')")
    var file: String?

    @Option(help: ArgumentHelp("The language of the drawing: dot (Graphviz) or mermaid.", valueName: "name"))
    var format = GraphFormat.dot

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func run() async throws {
        ConsoleStream.output.writeLine(try Self.text(of: try InputFile(path: file).read(), format: format))
    }

    /// The drawing of a signature in JSON.
    ///
    /// - Throws: `CommandFailure` where it cannot be read or drawn.
    static func text(of bytes: [UInt8], format: GraphFormat) throws -> String {
        let signature: SignatureWire
        do {
            let limits = JSONLimits(maxDepth: JSONLimits.greatestDepth, loneSurrogates: .replace)
            signature = try SignatureWire(decoding: JSONValue(parsing: bytes, limits: limits))
        } catch {
            throw CommandFailure("The signature cannot be read: \(error.message)")
        }
        return format.text(of: try WorkflowDrawing.graph(of: signature))
    }
}
