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

    /// `cannot <action> '<path>': <reason>`, the reason being `strerror(code)`.
    static func failed(to action: String, _ path: String, code: Int32 = errno) -> SystemError {
        SystemError("cannot \(action) '\(path)': \(String(cString: strerror(code)))", code: code)
    }
}

/// Repeats a system call that a signal interrupted (`EINTR`), as every one of them may be.
func retrying<Value: SignedInteger>(_ call: () -> Value) -> Value {
    while true {
        let value = call()
        if value != -1 || errno != EINTR { return value }
    }
}
