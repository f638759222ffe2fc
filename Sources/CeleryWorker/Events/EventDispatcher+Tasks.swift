import AMQP
import Celery
import CeleryProtocol

/// Events of tasks.
///
/// While they are off, each costs a look at one flag.
extension EventDispatcher {
    /// Whether events of this type of tasks are sent.
    func sends(of task: WorkerTask) -> Bool { isTaskEventsEnabled && task.sendsEvents }

    /// Sends an event of a task, where its events are sent; only then it is made.
    func send(_ event: @autoclosure () -> TaskEvent, of request: TaskRequest) {
        guard sends(of: request.task) else { return }
        write(event(), of: request)
    }

    /// Sends an event that was made before; nil sends nothing.
    func send(_ event: TaskEvent?, of request: TaskRequest) {
        if let event { write(event, of: request) }
    }

    @inline(never)
    private func write(_ event: TaskEvent, of request: TaskRequest) {
        sendTaskEvent(event.type) { event.put(of: request.envelope, to: &$0) }
    }

    /// Tells that a task failed which this worker does not know; without a traceback, as Celery does.
    func sendUnknown(_ headers: TaskHeaders) {
        sendTaskEvent("task-failed") { output in
            EventWriter.put("uuid", headers.id, &output)
            EventWriter.put("exception", "NotRegistered(\(PythonRepr.repr(.string(headers.task))))", &output)
        }
    }
}

/// Events that take some work to make: nil where they are not sent.
extension EventDispatcher {
    func success(of request: TaskRequest, _ value: JSONValue, runtime: Duration) -> TaskEvent? {
        guard sends(of: request.task) else { return nil }
        return .succeeded(result: PythonRepr.repr(value), runtime: runtime.seconds)
    }

    func failure(of request: TaskRequest, _ failure: TaskOutcome.Failure) -> TaskEvent? {
        guard sends(of: request.task) else { return nil }
        let exception = failure.exception
        let traceback = failure.traceback ?? Traceback.text(of: exception, task: request.task.name)
        return .failed(exception: exception.pythonRepr, traceback: traceback)
    }

    /// - Parameters:
    ///   - cause: why the task is sent again; nil where its body gave no reason.
    ///   - reported: the exception of the traceback.
    func retry(of request: TaskRequest, _ cause: ExceptionInfo?, _ reported: ExceptionInfo) -> TaskEvent? {
        guard sends(of: request.task) else { return nil }
        return .retried(
            exception: cause?.pythonRepr ?? "None",
            traceback: Traceback.text(of: reported, task: request.task.name)
        )
    }
}

extension TaskEvent {
    /// A running task was ended by the signal of this name.
    static func terminated(by signal: String) -> TaskEvent {
        let number = ChildHandle.number(ofSignal: signal).map(Int.init)
        return .revoked(isTerminated: true, signal: number, isExpired: false)
    }
}
