import Foundation

/// A `flock(2)` on a file, exclusive unless it says otherwise, held until ``release()`` or the object's end.
///
/// The kernel drops it when the process dies, however it dies, so a lock never goes stale. The holder's
/// process id stands in the file for messages.
public final class FileLock {
    /// The path of the lock file.
    public let path: String
    private var descriptor: Int32

    private init(path: String, descriptor: Int32) {
        self.path = path
        self.descriptor = descriptor
    }

    deinit { release() }

    /// Takes the lock, or returns nil at once when another holder (also one in this process) has it.
    public static func tryLock(_ path: String) throws -> FileLock? {
        try acquire(path, flags: LOCK_EX | LOCK_NB)
    }

    /// Takes the lock and waits for it as long as another holder has it.
    public static func lock(_ path: String) throws -> FileLock {
        guard let lock = try acquire(path, flags: LOCK_EX) else {
            throw SystemError.failed(to: "lock", path, code: EWOULDBLOCK)
        }
        return lock
    }

    /// Takes the lock together with others who share it, and waits for one who has it alone.
    public static func lockShared(_ path: String) throws -> FileLock {
        guard let lock = try acquire(path, flags: LOCK_SH) else {
            throw SystemError.failed(to: "lock", path, code: EWOULDBLOCK)
        }
        return lock
    }

    /// Whether somebody holds the lock alone now; false when the file is missing.
    ///
    /// - Parameter isShareCounted: whether those who share it count as well.
    public static func isHeld(_ path: String, isShareCounted: Bool = false) throws -> Bool {
        let descriptor = retrying { open(path, O_RDONLY | O_CLOEXEC) }
        if descriptor < 0 {
            if errno == ENOENT { return false }
            throw SystemError.failed(to: "open", path)
        }
        defer { close(descriptor) }
        // A shared lock is refused only by an exclusive holder; closing the descriptor drops it.
        let flags = (isShareCounted ? LOCK_EX : LOCK_SH) | LOCK_NB
        return try !take(descriptor, flags, path)
    }

    /// The process id that the last holder wrote, when the file has one and that process lives: of those who share a
    /// lock, the last to come may be the first to go.
    public static func holder(of path: String) -> Int32? {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8),
            let process = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)), process > 0
        else { return nil }
        return kill(process, 0) != 0 && errno == ESRCH ? nil : process
    }

    /// Gives the lock back; a second call does nothing. The file stays.
    public func release() {
        if descriptor < 0 { return }
        close(descriptor)
        descriptor = -1
    }

    /// Removes the file and gives back a lock that nobody shares: whoever waits for it notices, and takes one on a file of its
    /// own.
    public func discard() {
        if descriptor < 0 { return }
        unlink(path)
        release()
    }

    private static func acquire(_ path: String, flags: Int32) throws -> FileLock? {
        // Close-on-exec, so that a child process does not keep the lock after our end.
        let descriptor = retrying { open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666) }
        if descriptor < 0 { throw SystemError.failed(to: "open", path) }
        do {
            guard try take(descriptor, flags, path) else {
                close(descriptor)
                return nil
            }
        } catch {
            close(descriptor)
            throw error
        }
        // Whoever deletes a run holds its lock: this one may be on a file that has just gone.
        if !isNamed(descriptor, path) {
            close(descriptor)
            return try acquire(path, flags: flags)
        }
        let text = Array("\(getpid())\n".utf8)
        let lock = FileLock(path: path, descriptor: descriptor)
        if ftruncate(descriptor, 0) != 0 || pwrite(descriptor, text, text.count, 0) != text.count {
            throw SystemError.failed(to: "write", path)
        }
        return lock
    }

    /// Locks the file behind `descriptor`; false when others hold it.
    private static func take(_ descriptor: Int32, _ flags: Int32, _ path: String) throws -> Bool {
        var result = retrying { flock(descriptor, flags) }
        // A process that only asks (isHeld) has the lock for some microseconds.
        for _ in 0..<3 where result != 0 && errno == EWOULDBLOCK {
            usleep(2000)
            result = retrying { flock(descriptor, flags) }
        }
        if result == 0 { return true }
        if errno == EWOULDBLOCK { return false }
        throw SystemError.failed(to: "lock", path)
    }

    /// Whether `path` still names the file behind `descriptor`.
    private static func isNamed(_ descriptor: Int32, _ path: String) -> Bool {
        var (held, named) = (stat(), stat())
        return fstat(descriptor, &held) == 0 && stat(path, &named) == 0
            && held.st_ino == named.st_ino && held.st_dev == named.st_dev
    }
}
