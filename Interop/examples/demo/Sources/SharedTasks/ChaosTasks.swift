public import Celery

/// The task of the chaos run.
public enum ChaosTasks {
    /// Notes in a file that it begins, takes so many milliseconds, notes that it ends, and returns its label.
    public static let record = TaskName("chaos.record", String.self, Int.self, returning: String.self)
}
