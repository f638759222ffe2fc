internal import CSystemShims

/// Starts threads.
///
/// They are detached: the body tells by itself when it is done.
package enum DetachedThread {
    /// Runs `body` on a new thread; the name's first 15 bytes show in debuggers.
    ///
    /// - Parameters:
    ///   - name: The thread's name.
    ///   - stackSize: The stack in bytes, which takes memory only as it is used; 0 takes the system's size.
    ///   - body: What the thread does.
    /// - Throws: `AMQPError` with code `connectionFailed` where the system has no thread left.
    package static func start(name: String, stackSize: Int = 0, _ body: @escaping @Sendable () -> Void)
        throws(AMQPError)
    {
        let context = Unmanaged.passRetained(ThreadBody(body))
        let status = swc_thread_start(name, UInt(stackSize), runThreadBody, context.toOpaque())
        guard status == 0 else {
            context.release()
            throw AMQPError(.connectionFailed, "a thread cannot be started (errno \(status))")
        }
    }
}

private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) {
        self.run = run
    }
}

// A file-scope function: a closure would inherit the isolation of where it is written.
private func runThreadBody(_ context: UnsafeMutableRawPointer?) {
    guard let context else { return }
    Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue().run()
}
