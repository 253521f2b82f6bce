import Foundation

/// Writes that fail as errors instead of ending the process.
public enum FailedWrites {
    /// Ignores the two signals that come with a failed write, so that the write itself says why: SIGPIPE, for
    /// a reader that went away (`| head`), and SIGXFSZ, for the file-size limit (`ulimit -f`).
    ///
    /// A program calls it first of all.
    public static func becomeErrors() {
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
    }
}
