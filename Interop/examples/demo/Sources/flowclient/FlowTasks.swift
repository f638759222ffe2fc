import Celery

/// The tasks of the workflows, by name and types.
enum FlowTasks {
    static let add = TaskName("flow.add", Int.self, Int.self, returning: Int.self)
    static let mul = TaskName("flow.mul", Int.self, Int.self, returning: Int.self)
    static let total = TaskName("flow.total", [Int].self, returning: Int.self)
    static let number = TaskName("flow.value", Int.self, returning: Int.self)
    static let numbers = TaskName("flow.value", [Int].self, returning: [Int].self)
    static let fail = TaskName("flow.fail", returning: Int.self)
    static let again = TaskName("flow.again", Int.self, returning: Int.self)
}
