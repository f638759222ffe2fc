import CeleryWorker
import FoundationEssentials
import Logging
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The file in which a worker says how it is.
///
/// It is replaced as a whole, so that nobody reads half of it; everybody may read it, and only its owner may write it.
final class HealthFile: Sendable {
    /// Where the file is.
    let path: String
    private let report = PeriodicReport()
    private let hasFailed = Atomic(false)

    /// Makes the file.
    ///
    /// - Throws: `CommandFailure` with the code 73 where it cannot be written.
    init(creating path: String, for worker: Worker) throws {
        self.path = path
        let code = write(HealthReport(worker, process: getpid(), time: Self.uptime))
        guard code == 0 else {
            throw CommandFailure(
                "Cannot write the health file '\(path)': error \(code) of the system (errno)",
                status: .cannotCreate
            )
        }
    }

    /// Writes the file again and again, as long as the worker answers.
    func start(_ worker: Worker, _ logger: Logger) {
        report.start(worker, every: HealthReport.interval) { [self] in
            let code = write(HealthReport(worker, process: getpid(), time: Self.uptime))
            if code == 0 { return hasFailed.store(false, ordering: .relaxed) }
            guard !hasFailed.exchange(true, ordering: .relaxed) else { return }
            logger.error("The health file cannot be written", metadata: ["path": "\(path)", "errno": "\(code)"])
        }
    }

    /// Ends the writing, and removes the file where it is this process's.
    func release() async {
        await report.stop()
        remove()
    }

    /// Removes the file where it is this process's: also when the process ends at once.
    func remove() {
        guard case .report(let report) = Self.read(path), report.process == getpid() else { return }
        unlink(path)
    }

    /// Seconds since the system's start; the same for all of its processes, whatever its clock is set to.
    static var uptime: Double {
        var time = timespec()
        #if canImport(Darwin)
        clock_gettime(CLOCK_MONOTONIC, &time)
        #else
        clock_gettime(CLOCK_BOOTTIME, &time)
        #endif
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Writes the report beside the file and gives it the name; answers `errno`, 0 where all went well.
    private func write(_ report: HealthReport) -> Int32 {
        let draft = "\(path).\(getpid())"
        unlink(draft)
        let descriptor = SystemFile.open(draft, O_WRONLY | O_CREAT | O_EXCL)
        guard descriptor >= 0 else { return errno }
        let bytes = Array(report.text.utf8)
        ConsoleStream(descriptor: descriptor).write(bytes)
        var written = stat()
        // What does not fit on the disk is missing.
        let isWhole = fstat(descriptor, &written) == 0 && Int(written.st_size) == bytes.count
        close(descriptor)
        let code = !isWhole ? ENOSPC : rename(draft, path) == 0 ? 0 : errno
        if code != 0 { unlink(draft) }
        return code
    }
}

// MARK: - Reading

extension HealthFile {
    /// What is found under a path.
    enum Content: Sendable, Hashable {
        case report(HealthReport)
        /// Nothing that can be believed, and why.
        case unusable(String)
    }

    /// Reads a file, whatever it is: never waits for anything, and takes no more than a report may have.
    static func read(_ path: String) -> Content {
        let descriptor = SystemFile.open(path, O_RDONLY | O_NONBLOCK)
        guard descriptor >= 0 else { return .unusable(reason(errno, path)) }
        defer { close(descriptor) }
        var found = stat()
        guard fstat(descriptor, &found) == 0, found.st_mode & S_IFMT == S_IFREG else {
            return .unusable("'\(path)' is no file")
        }
        guard found.st_mode & (S_IWGRP | S_IWOTH) == 0 else {
            let mode = String(found.st_mode & 0o777, radix: 8)
            return .unusable("'\(path)' can be written by others than its owner (mode \(mode))")
        }
        guard found.st_size <= HealthReport.sizeLimit else {
            return .unusable("'\(path)' is no health file: too large")
        }
        var bytes = [UInt8](repeating: 0, count: Int(found.st_size))
        let count = systemRead(descriptor, &bytes)
        guard count == bytes.count, let report = HealthReport(bytes) else {
            return .unusable("'\(path)' is no health file of a worker")
        }
        return .report(report)
    }

    private static func reason(_ code: Int32, _ path: String) -> String {
        switch code {
        case ENOENT, ENOTDIR: "There is no health file '\(path)': no worker runs with it, or it has not begun"
        case EACCES, EPERM: "The health file '\(path)' may not be read: run the probe as the worker's user"
        default: "The health file '\(path)' cannot be read: error \(code) of the system (errno)"
        }
    }

    private static func systemRead(_ descriptor: Int32, _ bytes: inout [UInt8]) -> Int {
        let count = bytes.count
        #if canImport(Glibc)
        return Glibc.read(descriptor, &bytes, count)
        #elseif canImport(Musl)
        return Musl.read(descriptor, &bytes, count)
        #else
        return Darwin.read(descriptor, &bytes, count)
        #endif
    }
}
