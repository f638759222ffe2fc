import FoundationEssentials
import Instrumentation
import Synchronization
import Tracing

/// A tracer that writes each ended span as a line of JSON, with W3C's trace context between processes.
///
/// So small that it shows what a tracer is; swift-otel has one that exports to a collector.
struct LineTracer: Tracer {
    /// Takes the lines.
    let write: @Sendable (String) -> Void

    func startSpan<Instant: TracerInstant>(
        _ operationName: String,
        context: @autoclosure () -> InstrumentationContext,
        ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant,
        function: String,
        file fileID: String,
        line: UInt
    ) -> LineSpan {
        let parent = context()
        let parentSpan = parent[SpanIdentity.Key.self]
        var inside = parent
        inside[SpanIdentity.Key.self] = SpanIdentity(
            trace: parentSpan?.trace ?? SpanIdentity.random(bytes: 16),
            span: SpanIdentity.random(bytes: 8)
        )
        return LineSpan(operationName, kind: kind, context: inside, parent: parentSpan, write: write)
    }

    func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier,
        into context: inout InstrumentationContext,
        using extractor: Extract
    ) where Extract.Carrier == Carrier {
        guard let text = extractor.extract(key: "traceparent", from: carrier) else { return }
        context[SpanIdentity.Key.self] = SpanIdentity(traceparent: text)
    }

    func inject<Carrier, Inject: Injector>(
        _ context: InstrumentationContext,
        into carrier: inout Carrier,
        using injector: Inject
    ) where Inject.Carrier == Carrier {
        guard let identity = context[SpanIdentity.Key.self] else { return }
        injector.inject(identity.traceparent, forKey: "traceparent", into: &carrier)
    }

    func forceFlush() {}
}

/// A span's place in its trace.
struct SpanIdentity: Sendable, Hashable {
    enum Key: InstrumentationContextKey {
        typealias Value = SpanIdentity
    }

    /// 32 hexadecimal digits.
    let trace: String
    /// 16 hexadecimal digits.
    let span: String

    init(trace: String, span: String) {
        self.trace = trace
        self.span = span
    }

    /// Reads the header `traceparent`: version, trace, span and flags.
    init?(traceparent text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 4, parts[0].count == 2, parts[0] != "ff", parts[1].count == 32, parts[2].count == 16,
            text.utf8.allSatisfy({ $0 == UInt8(ascii: "-") || Character(UnicodeScalar($0)).isHexDigit })
        else { return nil }
        self.init(trace: String(parts[1]), span: String(parts[2]))
    }

    var traceparent: String { "00-\(trace)-\(span)-01" }

    static func random(bytes: Int) -> String {
        (0..<bytes).map { _ in
            let digits = String(UInt8.random(in: 0...255), radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}

/// A span that becomes a line.
final class LineSpan: Span {
    private struct State {
        var name: String
        var attributes: SpanAttributes = [:]
        var links: [SpanIdentity] = []
        var errors: [String] = []
        var status: SpanStatus?
        var hasEnded = false
    }

    let context: InstrumentationContext
    private let parent: SpanIdentity?
    private let kind: SpanKind
    private let write: @Sendable (String) -> Void
    private let state: Mutex<State>

    init(
        _ name: String,
        kind: SpanKind,
        context: InstrumentationContext,
        parent: SpanIdentity?,
        write: @escaping @Sendable (String) -> Void
    ) {
        self.context = context
        self.parent = parent
        self.kind = kind
        self.write = write
        state = Mutex(State(name: name))
    }

    var isRecording: Bool { state.withLock { !$0.hasEnded } }

    var operationName: String {
        get { state.withLock { $0.name } }
        set { state.withLock { $0.name = newValue } }
    }

    var attributes: SpanAttributes {
        get { state.withLock { $0.attributes } }
        set { state.withLock { $0.attributes = newValue } }
    }

    func setStatus(_ status: SpanStatus) { state.withLock { $0.status = status } }

    func addEvent(_ event: SpanEvent) {}

    func addLink(_ link: SpanLink) {
        guard let identity = link.context[SpanIdentity.Key.self] else { return }
        state.withLock { $0.links.append(identity) }
    }

    func recordError<Instant: TracerInstant>(
        _ error: any Error,
        attributes: SpanAttributes,
        at instant: @autoclosure () -> Instant
    ) {
        let type = attributes.get("exception.type").map(SpanLine.Value.init)?.text ?? "\(Swift.type(of: error))"
        state.withLock { $0.errors.append(type) }
    }

    func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        let state = state.withLock { state -> State? in
            defer { state.hasEnded = true }
            return state.hasEnded ? nil : state
        }
        guard let state, let identity = context[SpanIdentity.Key.self] else { return }
        var attributes: [String: SpanLine.Value] = [:]
        state.attributes.forEach { attributes[$0] = SpanLine.Value($1) }
        let line = SpanLine(
            name: state.name,
            kind: "\(kind)",
            trace: identity.trace,
            span: identity.span,
            parent: parent?.span,
            links: state.links.map(\.span),
            errors: state.errors,
            status: state.status.map { "\($0.code)" },
            attributes: attributes
        )
        if let data = try? JSONEncoder().encode(line) { write(String(decoding: data, as: UTF8.self)) }
    }
}

/// A span as it is written.
struct SpanLine: Encodable {
    enum Value: Encodable {
        case text(String)
        case number(Int64)
        case list([String])

        init(_ attribute: SpanAttribute) {
            switch attribute {
            case .string(let text): self = .text(text)
            case .int32(let number): self = .number(Int64(number))
            case .int64(let number): self = .number(number)
            case .stringArray(let list): self = .list(list)
            default: self = .text("\(attribute)")
            }
        }

        var text: String? {
            if case .text(let text) = self { text } else { nil }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .text(let text): try container.encode(text)
            case .number(let number): try container.encode(number)
            case .list(let list): try container.encode(list)
            }
        }
    }

    let name: String
    let kind: String
    let trace: String
    let span: String
    let parent: String?
    let links: [String]
    let errors: [String]
    let status: String?
    let attributes: [String: Value]
}
