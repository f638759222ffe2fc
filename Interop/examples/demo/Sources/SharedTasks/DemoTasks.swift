public import Celery

/// The demonstration tasks, served alike by swcelery and by the Python application.
///
/// Which of them runs a task is a matter of the queue.
public enum DemoTasks {
    /// The sum of two integers.
    public static let add = TaskName("demo.add", Int.self, Int.self, returning: Int.self)
    /// The product of two integers.
    public static let mul = TaskName("demo.mul", Int.self, Int.self, returning: Int.self)
    /// Fails with a `ValueError` of this message.
    public static let fail = TaskName("demo.fail", String.self, returning: NoResult.self)
    /// Is retried so many times, with so many seconds in between, and returns how often it was.
    public static let retry = TaskName("demo.retry", Int.self, Double.self, returning: Int.self)
    /// Tells its progress so many times, with so many seconds in between.
    public static let progress = TaskName("demo.progress", Int.self, Double.self, returning: Int.self)
}
