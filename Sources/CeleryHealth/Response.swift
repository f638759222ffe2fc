import CeleryWorker

/// An answer to a request.
struct Response: Sendable, Hashable {
    /// What a request may want.
    enum Method: Sendable, Hashable {
        case get
        /// An answer without its body.
        case head
        case other
    }

    /// A status of HTTP.
    let status: Int
    let contentType: String
    let body: String

    private static func text(_ status: Int, _ text: String) -> Response {
        Response(status: status, contentType: "text/plain; charset=utf-8", body: text + "\n")
    }

    static let live = text(200, "live")
    static let notLive = text(503, "the worker does not answer")
    static let unknown = text(404, "there are /live, /ready, /startup and /metrics")
    static let notAllowed = text(405, "only GET and HEAD")

    /// Whether the worker can take tasks.
    static func ready(_ health: WorkerHealth) -> Response {
        health.obstacle.map { text(503, "not ready: \($0)") } ?? text(200, "ready")
    }

    /// Whether the worker has come up once.
    static func startup(_ health: WorkerHealth) -> Response {
        health.hasStarted ? text(200, "started") : text(503, health.obstacle ?? "starting")
    }

    /// What there is to measure.
    static func metrics(_ page: MetricsPage) -> Response {
        Response(status: 200, contentType: "text/plain; version=0.0.4; charset=utf-8", body: page.text)
    }
}
