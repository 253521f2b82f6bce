import Foundation

/// The running program's file.
public enum Executable {
    /// The path of the running program's file, links resolved; nil where `/proc` is missing.
    public static var path: String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    }
}
