import Foundation

/// The process's standard streams, without the C globals that Swift 6 refuses.
public enum Terminal {
    /// One of the two streams a program writes to.
    public enum Stream: Int32, Sendable {
        /// Standard output: results.
        case output = 1
        /// Standard error: messages and progress.
        case error = 2
    }

    /// Whether `stream` goes to a terminal that can rewrite a line (`TERM=dumb` cannot).
    public static func isTerminal(_ stream: Stream) -> Bool {
        isatty(stream.rawValue) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
    }

    /// The terminal's width in columns; nil when `stream` is no terminal.
    public static func width(_ stream: Stream) -> Int? {
        var size = winsize()
        if ioctl(stream.rawValue, UInt(TIOCGWINSZ), &size) != 0 || size.ws_col == 0 { return nil }
        return Int(size.ws_col)
    }

    /// Whether colour is wanted on `stream`: a terminal, and no `NO_COLOR` (https://no-color.org).
    public static func wantsColor(_ stream: Stream) -> Bool {
        let wish = ProcessInfo.processInfo.environment["NO_COLOR"] ?? ""
        return wish.isEmpty && isTerminal(stream)
    }

    /// Writes a message to standard error.
    ///
    /// A stream that cannot be written is not worth stopping a training run for: the rest of the text is dropped.
    public static func write(_ text: String, to stream: Stream) {
        _ = writeAll(text, to: stream)
    }

    /// Writes a result to standard output; a reader that has gone (`| head`) has read what it wanted.
    ///
    /// - Throws: ``SystemError`` when the rest cannot be written, as on a full disk.
    public static func print(_ text: String) throws {
        let code = writeAll(text, to: .output)
        if code != 0 && code != EPIPE {
            throw SystemError.failed(to: "write", "standard output", code: code)
        }
    }

    /// Writes `text` with as few `write(2)` calls as the system allows; the `errno` of the one that failed, or 0.
    private static func writeAll(_ text: String, to stream: Stream) -> Int32 {
        let bytes = Array(text.utf8)
        return bytes.withUnsafeBytes { buffer in
            var offset = 0
            while offset < buffer.count {
                let rest = UnsafeRawBufferPointer(rebasing: buffer[offset...])
                let written = retrying { systemWrite(stream.rawValue, rest) }
                if written <= 0 { return written < 0 ? errno : EIO }
                offset += written
            }
            return 0
        }
    }
}
