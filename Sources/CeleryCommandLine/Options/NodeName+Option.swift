internal import Celery
internal import CeleryWorker

extension NodeName {
    /// The value of `--hostname`.
    ///
    /// - Throws: `OptionError` for what cannot be a node name.
    static func option(_ text: String) throws -> NodeName {
        do {
            return try NodeName(expanding: text)
        } catch {
            throw OptionError(error.message)
        }
    }
}
