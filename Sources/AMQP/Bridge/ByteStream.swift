internal import CSystemShims

/// One end of a socket between two processes of one machine, by its descriptor.
package struct ByteStream: Sendable {
    /// What reading or writing came to.
    package enum Outcome: Sendable, Hashable {
        /// So many bytes were read or written.
        case done(Int)
        /// The other end is closed.
        case end
        /// Nothing is there, or nothing can be taken at present.
        case wouldBlock
    }

    /// The descriptor; who made the stream closes it.
    package let descriptor: Int32

    /// Makes a stream of an open descriptor.
    package init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// A child process's end of the socket to its parent.
    package static let toParent = ByteStream(descriptor: Int32(SWC_CHILD_SOCKET))

    /// Reads what is there, into a buffer that is as long as what is to be read at most.
    package func read(into buffer: inout [UInt8]) -> Outcome {
        let count = buffer.withUnsafeMutableBytes { swc_stream_read(descriptor, $0.baseAddress, UInt($0.count)) }
        return outcome(of: count, isRead: true)
    }

    /// Writes the bytes from an offset on, or as many of them as can be taken.
    package func write(_ bytes: [UInt8], from offset: Int = 0) -> Outcome {
        let count = bytes.withUnsafeBytes { buffer in
            swc_stream_write(descriptor, buffer.baseAddress.map { $0 + offset }, UInt(buffer.count - offset))
        }
        return outcome(of: count, isRead: false)
    }

    /// Closes the descriptor.
    package func close() { swc_socket_close(descriptor) }

    private func outcome(of count: Int, isRead: Bool) -> Outcome {
        if count > 0 || (count == 0 && !isRead) { return .done(count) }
        return count == Self.wouldBlock ? .wouldBlock : .end
    }

    private static let wouldBlock = -Int(swc_errno_would_block())
}
