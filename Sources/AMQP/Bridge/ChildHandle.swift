internal import CSystemShims

/// A child process and the descriptors by which its parent knows it.
package struct ChildHandle: Sendable {
    /// How a process has ended.
    package enum Exit: Sendable, Hashable {
        /// It has ended by itself with this code.
        case code(Int32)
        /// This signal has ended it.
        case signal(Int32)
        /// Nobody can tell: somebody else has collected it.
        case unknown
    }

    /// The process id.
    package let pid: Int32
    /// The parent's end of the socket, which never blocks.
    package let stream: ByteStream
    /// Readable once the process has ended; nil where the system has no such thing.
    package let exitWatch: Int32?

    /// Starts an executable as a child.
    ///
    /// It finds its end of the socket at ``ByteStream/toParent``, standard input at `/dev/null`, standard output and error
    /// where the parent has them, and nothing else of the parent's. The calling thread has to live as long as the child:
    /// its end ends the child.
    ///
    /// - Parameters:
    ///   - executable: its path; nil for the executable of this process.
    ///   - name: what it gets as the name of its program.
    ///   - title: a further argument, for people who look at the list of processes.
    ///   - environment: `NAME=value`, in addition to this process's environment.
    /// - Throws: `AMQPError` with code `connectionFailed`, naming the errno.
    package static func spawn(
        executable: String?,
        name: String,
        title: String,
        environment: String
    ) throws(AMQPError) -> ChildHandle {
        let path: String
        if let executable { path = executable } else { path = try ownExecutable() }
        let child = swc_child_spawn(path, name, title, environment)
        guard child.failure == 0 else {
            throw AMQPError(.connectionFailed, "a process cannot be started (errno \(child.failure))")
        }
        return ChildHandle(
            pid: child.pid,
            stream: ByteStream(descriptor: child.socket),
            exitWatch: child.exit_watch < 0 ? nil : child.exit_watch
        )
    }

    private static func ownExecutable() throws(AMQPError) -> String {
        var path = [CChar](repeating: 0, count: 4096)
        let status = path.withUnsafeMutableBufferPointer { swc_executable_path($0.baseAddress, UInt($0.count)) }
        guard status == 0 else { throw AMQPError(.connectionFailed, "the path of the executable is too long") }
        return String(decoding: path.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// How the process has ended, once; nil while it has not.
    package func collect() -> Exit? {
        let exit = swc_child_wait(pid)
        switch Int(exit.kind) {
        case SWC_EXIT_NONE: return nil
        case SWC_EXIT_CODE: return .code(exit.value)
        case SWC_EXIT_SIGNAL: return .signal(exit.value)
        default: return .unknown
        }
    }

    /// Closes the descriptors.
    package func close() {
        stream.close()
        if let exitWatch { swc_socket_close(exitWatch) }
    }

    /// Sends a signal to the process, which must not have been collected.
    package func send(signal: Int32) { swc_child_signal(pid, signal) }

    /// Kills the process, which must not have been collected, and everything in its group.
    package func kill() { swc_child_kill(pid) }

    /// The resident memory in KiB; nil where that is not known.
    package var residentMemory: Int? {
        let size = swc_child_resident(pid)
        return size < 0 ? nil : Int(size)
    }

    /// The number of the signal of this name, with or without `SIG`.
    package static func number(ofSignal name: String) -> Int32? {
        let number = swc_signal_number(name)
        return number == 0 ? nil : number
    }
}

/// What a child process does to itself.
package enum ChildStart {
    /// Takes care of the socket and of signals, and that the process dies with its parent; false where there is no socket.
    package static func begin() -> Bool { swc_child_begin() == 0 }

    /// Writes a text to standard error, where no log is there yet.
    package static func complain(_ text: String) { swc_process_complain(text) }

    /// Ends the process at once, without C's handlers; what its streams hold back is written unless it is to be dropped.
    package static func exit(_ code: Int32, flushing: Bool) -> Never {
        if flushing { swc_process_flush_and_exit(code) }
        swc_process_exit(code)
    }
}
