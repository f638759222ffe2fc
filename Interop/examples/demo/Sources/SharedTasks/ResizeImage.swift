public import Celery

/// A task with keyword arguments, Python's `def resize(url, width=640)`.
public struct ResizeImage: TaskArguments {
    /// Where the new image is.
    public typealias Output = String
    /// The name in messages.
    public static let taskName = "example.resize"

    /// Where the image is.
    public var url: String
    /// Its new width in pixels; 640 unless given.
    public var width: Int?

    /// Makes the arguments of a call.
    public init(url: String, width: Int? = nil) {
        self.url = url
        self.width = width
    }
}
