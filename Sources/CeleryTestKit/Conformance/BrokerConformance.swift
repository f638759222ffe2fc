package import Celery

/// What a broker has to do for Celery: one suite for the broker in memory and for RabbitMQ, so that a test which passes with
/// the one means something for the other.
///
/// Every check makes names of its own, so that checks may run side by side on a shared broker.
package enum BrokerConformance {
    /// One check.
    package struct Check: Sendable, CustomStringConvertible {
        /// What is checked.
        package let description: String
        /// Checks it.
        package let run: @Sendable (any Broker) async throws -> Void

        init(_ description: String, _ run: @escaping @Sendable (any Broker) async throws -> Void) {
            self.description = description
            self.run = run
        }
    }

    /// What a broker did otherwise than it has to.
    package struct Failure: Error, CustomStringConvertible {
        /// What was expected, and where.
        package let description: String
    }

    /// All checks.
    package static let checks: [Check] = routing + consuming + settling + topology + closing

    /// Fails unless a condition holds.
    static func check(
        _ condition: Bool,
        _ expectation: @autoclosure () -> String,
        file: String = #fileID,
        line: Int = #line
    ) throws {
        if !condition { throw Failure(description: "\(expectation()) (\(file):\(line))") }
    }

    /// A name that no other check uses.
    static func name(_ prefix: String) -> String { "swcelery-conformance-\(prefix)-\(TaskID.make())" }
}
