/// `task_routes`, prepared for look-ups (`celery.app.routes.prepare`).
struct RouteTable: Sendable {
    /// One of Celery's routers.
    private enum Entry: Sendable {
        case map(exact: [String: Route], patterns: [(GlobPattern, Route)])
        case function(TaskRoute.Function)
    }

    private let entries: [Entry]

    init(_ routes: [TaskRoute]) {
        var entries: [Entry] = []
        var exact: [String: Route] = [:]
        var patterns: [(GlobPattern, Route)] = []
        func closeMap() {
            guard !exact.isEmpty || !patterns.isEmpty else { return }
            entries.append(.map(exact: exact, patterns: patterns))
            exact = [:]
            patterns = []
        }
        for route in routes {
            switch route {
            case .exact(let name, let target): exact[name] = target
            case .glob(let pattern, let target): patterns.append((GlobPattern(pattern), target))
            case .function(let function):
                closeMap()
                entries.append(.function(function))
            }
        }
        closeMap()
        self.entries = entries
    }

    /// The first answer, in the order of the routes.
    func route(_ task: String, _ args: [JSONValue], _ kwargs: JSONObject, _ options: TaskOptions) -> Route? {
        for entry in entries {
            switch entry {
            case .map(let exact, let patterns):
                if let route = exact[task] { return route }
                if let (_, route) = patterns.first(where: { $0.0.matches(task) }) { return route }
            case .function(let function):
                if let route = function(task, args, kwargs, options) { return route }
            }
        }
        return nil
    }
}
