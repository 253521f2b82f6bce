import Foundation

/// A call to the operating system that failed: one sentence with the path (or thing), the reason and the cure.
public struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The sentence.
    public let description: String
    /// The `errno` of the failed call; 0 when the failure did not come from a call.
    public let code: Int32

    /// Makes an error from a finished sentence.
    public init(_ description: String, code: Int32 = 0) {
        self.description = description
        self.code = code
    }

    /// `cannot <action> '<path>': <reason>; <cure>`, see ``reason(_:at:)``.
    static func failed(to action: String, _ path: String, code: Int32 = errno) -> SystemError {
        let reason = reason(code, at: path, isReading: action.hasPrefix("read"))
        return SystemError("cannot \(action) '\(path)': \(reason)", code: code)
    }

    /// `strerror(code)`, and behind a semicolon the cure where there is one.
    ///
    /// - Parameters:
    ///   - code: the `errno` of the failed call.
    ///   - path: what the call was about.
    ///   - isReading: whether it was to read: another place would not help then.
    public static func reason(_ code: Int32, at path: String, isReading: Bool = false) -> String {
        String(cString: strerror(code))
            + (cure(code, at: path, isReading: isReading).map { "; \($0)" } ?? "")
    }

    private static func cure(_ code: Int32, at path: String, isReading: Bool) -> String? {
        switch code {
        case EACCES where isReading, EPERM where isReading:
            return "change its permissions, or those of the folders above it"
        case ENOTDIR:
            var place = path
            while !place.isEmpty && access(place, F_OK) != 0 { place = Path.parent(of: place) }
            return place.isEmpty ? nil : "'\(place)' is a file: name another folder or remove it"
        case EEXIST: return "remove it or name another"
        case EISDIR:
            return "it is a folder: name a file, or move it away if it stands in a file's place"
        case ENOENT where !isReading:
            if path.isEmpty { return "the name is empty: name a file" }
            let parent = Path.parent(of: path)
            let isMissing = !parent.isEmpty && access(parent, F_OK) != 0
            return isMissing ? "create the folder '\(parent)' or name another" : nil
        case ENOSPC, EDQUOT: return "free some space and run the same command again"
        case EFBIG: return "raise the file-size limit (ulimit -f) and run the same command again"
        case EACCES, EPERM, EROFS:
            return "choose another place or change its permissions"
        case EMFILE, ENFILE:
            return "raise the limit of open files (ulimit -n) and run the same command again"
        default: return nil
        }
    }
}

/// Repeats a system call that a signal interrupted (`EINTR`), as every one of them may be.
func retrying<Value: SignedInteger>(_ call: () -> Value) -> Value {
    while true {
        let value = call()
        if value != -1 || errno != EINTR { return value }
    }
}
