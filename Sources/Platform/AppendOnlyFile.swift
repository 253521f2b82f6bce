import Foundation

/// A file that only grows at its end, one `write(2)` per call, so that a killed process leaves whole records.
///
/// Not `Sendable`: it belongs to one writer.
public final class AppendOnlyFile {
    /// The path as it was given.
    public let path: String
    private let descriptor: Int32

    /// Opens `path` for appending and creates it when it is missing.
    public init(path: String) throws {
        self.path = path
        descriptor = retrying { open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0o666) }
        if descriptor < 0 { throw SystemError.failed(to: "open", path) }
    }

    deinit { close(descriptor) }

    /// The file's length in bytes.
    public var byteLength: Int {
        get throws {
            var information = stat()
            if fstat(descriptor, &information) != 0 {
                throw SystemError.failed(to: "read the length of", path)
            }
            return Int(information.st_size)
        }
    }

    /// The length in bytes up to and with the last newline: what is left without an unterminated last line.
    public var byteLengthOfWholeLines: Int {
        get throws {
            var end = try byteLength
            var chunk = [UInt8](repeating: 0, count: 1 << 16)
            while end > 0 {
                let start = max(0, end - chunk.count)
                let count = chunk.withUnsafeMutableBytes { bytes in
                    retrying { pread(descriptor, bytes.baseAddress, end - start, off_t(start)) }
                }
                if count != end - start { throw SystemError.failed(to: "read", path) }
                if let last = chunk[..<count].lastIndex(of: UInt8(ascii: "\n")) {
                    return start + last + 1
                }
                end = start
            }
            return 0
        }
    }

    /// Appends `data` with one call; what a full disk or a limit cuts short is taken back and thrown.
    public func append(_ data: Data) throws {
        var written = 0
        try data.withUnsafeBytes { bytes in
            while written < bytes.count {
                let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
                let count = retrying { systemWrite(descriptor, rest) }
                // A write cut short says nothing; only the next one has the reason.
                if count <= 0 {
                    let error = SystemError.failed(
                        to: "append to", path, code: count < 0 ? errno : ENOSPC)
                    // Half a record would spoil the line after it: the file goes back to where it was.
                    if written > 0 { try? truncate(toByteLength: byteLength - written) }
                    throw error
                }
                written += count
            }
        }
    }

    /// Cuts the file to `length` bytes, at most its present length.
    public func truncate(toByteLength length: Int) throws {
        if retrying({ ftruncate(descriptor, off_t(length)) }) != 0 {
            throw SystemError.failed(to: "cut", path)
        }
    }

    /// Waits until what was appended has reached the disk.
    public func synchronize() throws {
        if retrying({ fsync(descriptor) }) != 0 {
            throw SystemError.failed(to: "flush", path)
        }
    }
}
