import Foundation

/// A call to the operating system that failed: one sentence with the path (or thing) and the reason.
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

    /// `cannot <action> '<path>': <reason>`, the reason being `strerror(code)`, and the cure where there is one.
    static func failed(to action: String, _ path: String, code: Int32 = errno) -> SystemError {
        SystemError(
            "cannot \(action) '\(path)': \(String(cString: strerror(code)))\(cure(path, code))",
            code: code)
    }

    private static func cure(_ path: String, _ code: Int32) -> String {
        switch code {
        case ENOTDIR:
            var place = path
            while !place.isEmpty && access(place, F_OK) != 0 { place = Path.parent(of: place) }
            return place.isEmpty ? "" : "; '\(place)' is a file: name another folder or remove it"
        case EEXIST: return "; remove it or name another"
        case EISDIR: return "; it is a folder: name a file"
        case ENOSPC, EDQUOT: return "; free some space and run the same command again"
        case EACCES, EPERM, EROFS: return "; choose another place or change its permissions"
        default: return ""
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
