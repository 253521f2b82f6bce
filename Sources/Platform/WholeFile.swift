import Foundation

/// Reading a file whole, with errors that name path and reason.
public enum WholeFile {
    /// The bytes of the file at `path`.
    ///
    /// - Parameter maximumBytes: a longer file is refused instead of read.
    /// - Throws: ``SystemError`` when the file is missing, a folder, unreadable or too long.
    public static func read(_ path: String, maximumBytes: Int = .max) throws -> Data {
        let descriptor = retrying { open(path, O_RDONLY | O_CLOEXEC) }
        if descriptor < 0 { throw SystemError.failed(to: "read", path) }
        defer { close(descriptor) }
        var data = Data()
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = chunk.withUnsafeMutableBytes { bytes in
                retrying { Foundation.read(descriptor, bytes.baseAddress, bytes.count) }
            }
            if count < 0 { throw SystemError.failed(to: "read", path) }
            if count == 0 { return data }
            data.append(contentsOf: chunk[..<count])
            if data.count > maximumBytes {
                throw SystemError(
                    "cannot read '\(path)': it is longer than \(maximumBytes) bytes", code: EFBIG)
            }
        }
    }
}
