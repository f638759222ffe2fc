import Celery

/// How many revokes a worker remembers, and for how long once they are so many.
///
/// Celery: the environment variables `CELERY_WORKER_REVOKES_MAX` and `CELERY_WORKER_REVOKE_EXPIRES`.
struct RevocationLimits: Sendable, Hashable {
    private static let capacityName = "CELERY_WORKER_REVOKES_MAX"
    private static let expiryName = "CELERY_WORKER_REVOKE_EXPIRES"

    /// 0 for any number.
    var capacity = 50_000
    var expiry = Duration.seconds(10_800)

    init() {}

    /// The limits of an environment.
    ///
    /// - Throws: ``CeleryError`` with the code `invalidConfiguration` for a value that is no number, or a negative one.
    init(environment: [String: String]) throws(CeleryError) {
        if let text = environment[Self.capacityName] {
            guard let number = Int(text), number >= 0 else { throw Self.invalid(Self.capacityName, text) }
            capacity = number
        }
        if let text = environment[Self.expiryName] {
            guard let seconds = Double(text), (0..<1e9).contains(seconds) else {
                throw Self.invalid(Self.expiryName, text)
            }
            expiry = .seconds(seconds)
        }
    }

    private static func invalid(_ name: String, _ text: String) -> CeleryError {
        CeleryError(.invalidConfiguration, "\(name) cannot be '\(text)'")
    }
}
