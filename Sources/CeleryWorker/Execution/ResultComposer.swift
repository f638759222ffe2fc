import AMQPValues
import Celery
import CeleryProtocol
import FoundationEssentials

/// Makes the messages of the `rpc://` result backend, as `celery.backends.rpc.RPCBackend.store_result` does.
struct ResultComposer: Sendable {
    private let hostname: String
    private let timezone: TimeZone
    private let isUTC: Bool
    private let isExtended: Bool
    private let deliveryMode: UInt8
    /// Whose results are a chord's, and so have to outlive a restart of the broker.
    let collector: ChordCollector
    private let now: @Sendable () -> Date

    init(configuration: CeleryConfiguration, hostname: String, now: @escaping @Sendable () -> Date = { Date() }) {
        self.hostname = hostname
        timezone = configuration.timezone
        isUTC = configuration.timezone == .gmt
        isExtended = configuration.resultExtended
        deliveryMode = configuration.resultPersistent ? 2 : 1
        collector = ChordCollector(configuration)
        self.now = now
    }

    /// The message for a state of a run; nil where nobody waits.
    func message(
        of run: TaskRun,
        _ state: TaskState,
        _ result: JSONValue,
        traceback: String? = nil
    ) -> OutgoingMessage? {
        guard let replyTo = run.request.replyTo else { return nil }
        let children = state == .started ? [] : run.children
        var message = basis(of: run.request.envelope.headers, state, result, traceback: traceback, children: children)
        if isExtended { message.extended = extended(run) }
        return outgoing(message, to: replyTo, correlationID: run.request.envelope.properties.correlationID)
    }

    /// The message for a request whose body was not read, because it is not going to run.
    func message(
        of envelope: TaskEnvelope,
        _ state: TaskState,
        _ exception: ExceptionInfo
    ) -> OutgoingMessage? {
        guard let replyTo = envelope.properties.replyTo, !replyTo.isEmpty else { return nil }
        let message = basis(of: envelope.headers, state, exception.json, traceback: nil, children: [])
        return outgoing(message, to: replyTo, correlationID: envelope.properties.correlationID)
    }

    /// The failure of a message of which not even the headers could be read; nil where nobody can be told.
    func message(refusing properties: BasicProperties, _ exception: ExceptionInfo) -> OutgoingMessage? {
        guard let replyTo = properties.replyTo, !replyTo.isEmpty,
            let id = ReceivedTask.identity(of: properties).id
        else { return nil }
        let message = ResultMessage(taskID: id, state: .failure, result: exception.json, dateDone: dateDone())
        return outgoing(message, to: replyTo, correlationID: properties.correlationID)
    }

    /// The failures of the steps of a chain that will never run, each to its own reply queue
    /// (`celery.backends.base.Backend._fail_chain`).
    func messages(failing chain: [JSONValue], _ failure: TaskOutcome.Failure) -> [OutgoingMessage] {
        UnrunTask.tasks(of: chain).map { message(of: $0, .failure, failure.exception, failure.traceback) }
    }

    /// The steps of a revoked or expired task's chain that complete a chord are revoked with it, lest the chord waits.
    ///
    /// Celery tells nobody of the steps of such a chain.
    func messages(revoking chain: [JSONValue], _ exception: ExceptionInfo) -> [OutgoingMessage] {
        UnrunTask.tasks(of: chain)
            .filter { collector.collects($0.replyTo) }
            .map { message(of: $0, .revoked, exception, nil) }
    }

    private func message(
        of task: UnrunTask,
        _ state: TaskState,
        _ exception: ExceptionInfo,
        _ traceback: String?
    ) -> OutgoingMessage {
        let message = ResultMessage(
            taskID: task.id,
            state: state,
            result: exception.json,
            traceback: traceback,
            dateDone: dateDone(),
            groupID: task.groupID,
            parentID: task.parentID
        )
        return outgoing(message, to: task.replyTo, correlationID: nil)
    }
}

extension ResultComposer {
    private static let noHeaders = FieldTable()

    private func basis(
        of headers: TaskHeaders,
        _ state: TaskState,
        _ result: JSONValue,
        traceback: String?,
        children: [JSONValue]
    ) -> ResultMessage {
        ResultMessage(
            taskID: headers.id,
            state: state,
            result: result,
            traceback: traceback,
            children: children,
            dateDone: state.isReady ? dateDone() : nil,
            groupID: headers.group,
            parentID: headers.parentID
        )
    }

    private func outgoing(
        _ message: ResultMessage,
        to replyTo: String,
        correlationID: String?
    ) -> OutgoingMessage {
        var properties = BasicProperties()
        properties.contentType = "application/json"
        properties.contentEncoding = "utf-8"
        properties.headers = Self.noHeaders
        // A chord's parts survive a restart of the broker.
        properties.deliveryMode = collector.collects(replyTo) ? 2 : deliveryMode
        properties.priority = 0
        properties.correlationID = correlationID ?? message.taskID
        return OutgoingMessage(routingKey: replyTo, properties: properties, body: message.encoded())
    }

    private func dateDone() -> String {
        let now = now()
        return WireDate(now, offsetSeconds: isUTC ? 0 : timezone.secondsFromGMT(for: now)).text
    }

    private func extended(_ run: TaskRun) -> ResultMessage.Extended {
        let headers = run.request.envelope.headers
        var stamps: JSONObject = [:]
        for name in headers.stampedHeaders ?? [] { stamps[name] = headers.stamps[name].map { JSONValue($0) } }
        return ResultMessage.Extended(
            name: headers.task,
            args: .array(run.body.args),
            kwargs: .object(run.body.kwargs),
            worker: hostname,
            retries: headers.retries,
            queue: run.request.info.routingKey,
            stampedHeaders: headers.stampedHeaders,
            stamps: stamps
        )
    }
}
