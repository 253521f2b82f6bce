import Foundation

/// A file that is read from its beginning to its end, or standard input, with errors that name it and the reason.
public final class InputFile {
    /// The name that stands for standard input.
    public static let standardInput = "-"

    private let path: String
    private let descriptor: Int32

    /// Opens the file at `path`; `-` is standard input.
    ///
    /// - Throws: ``SystemError`` when it is missing or may not be read.
    public init(_ path: String) throws {
        self.path = path
        if path == Self.standardInput {
            descriptor = STDIN_FILENO
            return
        }
        descriptor = retrying { open(path, O_RDONLY | O_CLOEXEC) }
        if descriptor < 0 { throw SystemError.failed(to: "read", path) }
    }

    deinit { if descriptor != STDIN_FILENO { close(descriptor) } }

    /// The next bytes, as many as have come; none at the end.
    public func next() throws -> Data {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        let count = chunk.withUnsafeMutableBytes { bytes in
            retrying { Foundation.read(descriptor, bytes.baseAddress, bytes.count) }
        }
        if count < 0 { throw failure(errno) }
        return Data(chunk[..<count])
    }

    /// Everything that is left.
    ///
    /// - Parameter maximumBytes: a longer file is refused, where possible before it is read.
    public func whole(maximumBytes: Int = .max) throws -> Data {
        var data = Data()
        var information = stat()
        if fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG,
            Int(information.st_size) > maximumBytes
        {
            throw tooLong(maximumBytes)
        }
        while true {
            let piece = try next()
            if piece.isEmpty { return data }
            data.append(piece)
            if data.count > maximumBytes { throw tooLong(maximumBytes) }
        }
    }

    /// Calls `body` with every line as soon as it has come, without its line feed.
    ///
    /// - Parameter maximumBytes: a longer line is refused.
    public func forEachLine(maximumBytes: Int = .max, _ body: (Data) throws -> Void) throws {
        var splitter = LineSplitter()
        while true {
            let piece = try next()
            if piece.isEmpty { break }
            try splitter.lines(endingWith: piece).forEach(body)
            if splitter.pendingCount > maximumBytes {
                throw SystemError(
                    "cannot read \(name): a line is longer than \(maximumBytes) bytes; cut it",
                    code: EFBIG)
            }
        }
        if let last = splitter.remainder() { try body(last) }
    }

    private var name: String { path == Self.standardInput ? "standard input" : "'\(path)'" }

    private func tooLong(_ maximumBytes: Int) -> SystemError {
        SystemError("cannot read \(name): it is longer than \(maximumBytes) bytes", code: EFBIG)
    }

    private func failure(_ code: Int32) -> SystemError {
        guard path == Self.standardInput else {
            return SystemError.failed(to: "read", path, code: code)
        }
        let reason =
            switch code {
            case EISDIR: "it is a folder; name a file"
            // See StandardStreams: a descriptor that was closed at the start cannot be read.
            case EBADF: "it is closed; name a file or give it one by `<`"
            default: SystemError.reason(code, at: path, isReading: true)
            }
        return SystemError("cannot read standard input: \(reason)", code: code)
    }
}
