import Foundation

/// Reading a file whole, with errors that name path and reason.
public enum WholeFile {
    /// The bytes of the file at `path`.
    ///
    /// - Parameter maximumBytes: a longer file is refused instead of read.
    /// - Throws: ``SystemError`` when the file is missing, a folder, unreadable or too long.
    public static func read(_ path: String, maximumBytes: Int = .max) throws -> Data {
        try InputFile(path).whole(maximumBytes: maximumBytes)
    }
}
