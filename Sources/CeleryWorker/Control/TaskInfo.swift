import AMQPValues
import Celery
import CeleryProtocol
import Synchronization

/// What remote control tells of one task that a worker holds (`celery.worker.request.Request.info`).
struct TaskInfo: Sendable {
    let envelope: TaskEnvelope
    let delivery: DeliveryInfo
    /// When its body began, in seconds since 1970.
    var startedAt: Double?
    var isAcknowledged = false
    /// The process that runs it.
    var processID: Int?

    /// A task that runs, or waits for a slot.
    init(_ request: TaskRequest) {
        envelope = request.envelope
        delivery = request.info
        let microseconds = request.startedAt.load(ordering: .relaxed)
        guard microseconds != 0 else { return }
        startedAt = Double(microseconds) / 1e6
        isAcknowledged = !request.acksLate
        let process = request.processID.load(ordering: .relaxed)
        processID = process == 0 ? ProcessIdentity.processID : process
    }

    /// A task that waits, packed; nil if it cannot be read any more.
    init?(_ parked: ParkedDelivery, accept: AcceptedContent) {
        guard var message = try? MessageUnpacker.unpack(parked.message) else { return nil }
        message.redelivered = parked.redelivered
        guard let envelope = try? ReceivedTask.recognise(message.properties, body: message.body, accept: accept) else {
            return nil
        }
        self.envelope = envelope
        delivery = DeliveryInfo(message)
    }

    /// The map, with the arguments themselves or, where that is wanted, only as texts.
    func json(of hostname: String, safe: Bool = false) -> JSONValue {
        let headers = envelope.headers
        let (args, kwargs) = safe ? texts : arguments
        return [
            "id": .string(headers.id),
            "name": .string(headers.displayName),
            "args": args,
            "kwargs": kwargs,
            "type": .string(headers.task),
            "hostname": .string(hostname),
            "time_start": startedAt.map(JSONValue.double) ?? .null,
            "acknowledged": .bool(isAcknowledged),
            "delivery_info": [
                "exchange": .string(delivery.exchange),
                "routing_key": .string(delivery.routingKey),
                "priority": delivery.priority.map { .int(Int($0)) } ?? .null,
                "redelivered": .bool(delivery.redelivered),
            ],
            "worker_pid": processID.map(JSONValue.int) ?? .null,
        ]
    }

    private var arguments: (JSONValue, JSONValue) {
        guard let body = try? envelope.decodedBody() else { return texts }
        return (.array(body.args), .object(body.kwargs))
    }

    private var texts: (JSONValue, JSONValue) {
        let headers = envelope.headers
        if let args = headers.argsrepr, let kwargs = headers.kwargsrepr { return (.string(args), .string(kwargs)) }
        guard let body = try? envelope.decodedBody() else { return (.null, .null) }
        return (.string(PythonRepr.arguments(body.args)), .string(PythonRepr.keywords(body.kwargs)))
    }
}
