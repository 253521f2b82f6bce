import Foundation

/// The running program: its file, and starting it again in place.
public enum Executable {
    /// The path of the running program's file, links resolved; nil where `/proc` is missing.
    public static var path: String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    }

    /// Replaces this process by a fresh start of the same program with the same arguments and a changed
    /// environment: same process id, same open terminal, some milliseconds.
    ///
    /// Guarding against a loop is the caller's part: set a variable here and look for it first.
    ///
    /// - Parameters:
    ///   - removing: variables to remove.
    ///   - setting: variables to set.
    /// - Throws: ``SystemError`` when the start fails; otherwise it does not return.
    public static func reexecute(
        removing: [String] = [], setting: [String: String] = [:]
    ) throws -> Never {
        // exec keeps the calling thread's blocked signals, and library threads block most of them.
        var none = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, nil)
        for name in removing { unsetenv(name) }
        for (name, value) in setting { setenv(name, value, 1) }
        // The original argument bytes, because an argument need not be UTF-8.
        execv("/proc/self/exe", CommandLine.unsafeArgv)
        throw SystemError.failed(to: "start again", "/proc/self/exe")
    }
}
