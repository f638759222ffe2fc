internal import CRabbitMQ

/// The C library below this module.
package enum LibraryVersion {
    /// The version of librabbitmq that is loaded, such as `0.15.0`.
    package static var librabbitmq: String { String(cString: amqp_version()) }
}
