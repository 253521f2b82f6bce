import Foundation

/// The three descriptors that every process is expected to have.
public enum StandardStreams {
    /// Opens `/dev/null` in place of whichever of the descriptors 0, 1 and 2 is closed (`<&-`, `>&-`, `2>&-`).
    ///
    /// A file that is opened takes the lowest free number: without this the first record file would become "standard
    /// error" and progress would be written into it. A program calls it before it opens anything. Standard input is opened
    /// for writing alone: reading it fails, as reading a closed one does, instead of finding an empty text.
    public static func openClosedOnes() {
        for descriptor: Int32 in 0...2 where fcntl(descriptor, F_GETFD) < 0 && errno == EBADF {
            // Those below it are open, so the system gives this very number.
            let mode = descriptor == STDIN_FILENO ? O_WRONLY : O_RDWR
            _ = retrying { open("/dev/null", mode) }
        }
    }
}
