import Foundation
import Testing

@testable import Platform

@Suite struct FileLockTests {
    /// A child process that holds a lock until its standard input closes.
    private final class Holder {
        let process = Process()
        let input = Pipe()
        let output = Pipe()

        init(_ path: String) throws {
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = ["flock", "-n", path, "sh", "-c", "echo held; cat > /dev/null"]
            process.standardInput = input
            process.standardOutput = output
            try process.run()
            _ = output.fileHandleForReading.availableData
        }

        func end() {
            try? input.fileHandleForWriting.close()
            process.waitUntilExit()
        }
    }

    @Test func isRefusedWhileAnotherProcessHoldsIt() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("lock")
        let holder = try Holder(path)
        #expect(try FileLock.isHeld(path))
        #expect(try FileLock.tryLock(path) == nil)
        holder.end()
        #expect(try !FileLock.isHeld(path))
        #expect(try FileLock.tryLock(path) != nil)
    }

    /// Whoever waits for a lock whose file goes has one on another file, which nobody else can take.
    @Test func aDiscardedOneGoesToWhoeverWaits() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("lock")
        let first = try #require(try FileLock.tryLock(path))
        let taken = DispatchSemaphore(value: 0)
        let end = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            let second = try? FileLock.lock(path)
            taken.signal()
            end.wait()
            second?.release()
        }
        #expect(taken.wait(timeout: .now() + 0.3) == .timedOut)
        first.discard()
        #expect(taken.wait(timeout: .now() + 10) == .success)
        #expect(try FileLock.tryLock(path) == nil)
        end.signal()
        first.discard()
        #expect(FileManager.default.fileExists(atPath: path))
    }

    @Test func isSharedWithOthersWhoShareIt() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("lock")
        let first = try FileLock.lockShared(path)
        let second = try FileLock.lockShared(path)
        #expect(try !FileLock.isHeld(path) && FileLock.isHeld(path, isShareCounted: true))
        #expect(try FileLock.tryLock(path) == nil)
        first.release()
        #expect(try FileLock.tryLock(path) == nil)
        second.release()
        #expect(try !FileLock.isHeld(path, isShareCounted: true))
        #expect(try FileLock.tryLock(path) != nil)
        // The number of a process that has ended tells nobody whom to stop.
        try "999999999\n".write(toFile: path, atomically: true, encoding: .utf8)
        #expect(FileLock.holder(of: path) == nil)
    }

    @Test func keepsAnotherProcessOutAndNamesItself() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("lock")
        let lock = try #require(try FileLock.tryLock(path))
        #expect(FileLock.holder(of: path) == ProcessInfo.processInfo.processIdentifier)
        #expect(try status("flock", ["-n", path, "true"]) == 1)
        lock.release()
        #expect(try status("flock", ["-n", path, "true"]) == 0)
    }

    @Test func isGivenBackAtTheObjectsEnd() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("lock")
        do {
            let lock = try FileLock.lock(path)
            #expect(lock.path == path)
            // A second descriptor of the same process is another holder.
            #expect(try FileLock.tryLock(path) == nil)
        }
        #expect(try FileLock.tryLock(path) != nil)
    }

    @Test func isNotInheritedByChildren() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("lock")
        let lock = try FileLock.lock(path)
        let child = Process()
        let input = Pipe()
        child.executableURL = URL(fileURLWithPath: "/bin/cat")
        child.standardInput = input
        try child.run()
        lock.release()
        #expect(try FileLock.tryLock(path) != nil)
        try input.fileHandleForWriting.close()
        child.waitUntilExit()
    }

    @Test func missingFoldersAreNamed() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("none/lock")
        #expect(try !FileLock.isHeld(path))
        let error = #expect(throws: SystemError.self) { try FileLock.tryLock(path) }
        #expect(
            error?.description
                == "cannot open '\(path)': No such file or directory; create the folder '\(folder.file("none"))' or name "
                + "another")
    }

    private func status(_ program: String, _ arguments: [String]) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }
}
