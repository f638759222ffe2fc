import AMQP
import CeleryProtocol
import FoundationEssentials
import Testing

@testable import Celery

@Suite("Workflows are Celery's, byte for byte up to ids")
struct WorkflowGoldenTests {
    /// Messages whose `kwargsrepr` tells of tuples, which have travelled as lists.
    private static let withTuples: Set<String> = ["map", "starmap", "chunks", "chunks_group"]

    /// The tasks that complete a chord reply to the collector here; with the callers' queues put back, and without the
    /// message `celery.chord_unlock`, of which there is none here, all bytes are Celery's.
    @Test(arguments: GoldenWorkflow.all)
    func reproduces(_ workflow: GoldenWorkflow) throws {
        let captures = try workflow.captures()
        #expect(!captures.isEmpty)
        let composition = try workflow.make(captures, TaskComposer(configuration: CeleryConfiguration()))
        let form = try CelerysForm(composition)
        #expect(composition.tasks.count == captures.count)
        #expect(!composition.tasks.contains { $0.task == "celery.chord_unlock" })
        var (ours, theirs) = (IDNumbers(), IDNumbers())
        for (task, capture) in zip(composition.tasks, captures) {
            var message = try form.message(task)
            if let eta = message.headers.eta, let captured = capture.headers.eta {
                // The messages of a group are some microseconds apart.
                let difference = try WireDate(parsing: eta).date.timeIntervalSince(WireDate(parsing: captured).date)
                #expect(abs(difference) < 0.5)
                message.headers.eta = captured
            }
            if Self.withTuples.contains(workflow.name) { message.headers.kwargsrepr = capture.headers.kwargsrepr }
            let (properties, _) = message.encoded()
            let body = try form.body(task)
            let frame = try ContentHeaderCodec.encode(properties, bodySize: UInt64(body.count))
            #expect(task.message.exchange == capture.exchange)
            #expect(task.message.routingKey == capture.routingKey)
            #expect(ours.numbered(frame) == theirs.numbered(capture.frame))
            #expect(ours.numbered(body) == theirs.numbered(capture.body))
        }
    }
}

/// Numbers the UUIDs in bytes in the order in which they stand there.
private struct IDNumbers {
    private static let length = 36
    private var numbers: [String: Int] = [:]

    mutating func numbered(_ bytes: [UInt8]) -> String {
        var result = ""
        var index = 0
        while index < bytes.count {
            if index + Self.length <= bytes.count, Self.isID(bytes[index..<(index + Self.length)]) {
                let id = String(decoding: bytes[index..<(index + Self.length)], as: UTF8.self)
                let number = numbers[id] ?? numbers.count
                numbers[id] = number
                result += "<id \(number)>"
                index += Self.length
            } else {
                let byte = bytes[index]
                result += byte >= 32 && byte < 127 ? String(UnicodeScalar(byte)) : "<\(byte)>"
                index += 1
            }
        }
        return result
    }

    private static func isID(_ bytes: ArraySlice<UInt8>) -> Bool {
        for (offset, byte) in bytes.enumerated() {
            let isDash = byte == UInt8(ascii: "-")
            if [8, 13, 18, 23].contains(offset) ? !isDash : !UnicodeScalar(byte).properties.isASCIIHexDigit {
                return false
            }
        }
        return true
    }
}
