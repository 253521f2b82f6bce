import Foundation
import Platform

/// A file being written beside its place.
struct ReplacedFile {
    fileprivate let descriptor: Int32
    fileprivate let path: String

    /// Appends `bytes`; a write may take several calls, since Linux writes at most 2 GiB in one.
    func write(_ bytes: UnsafeRawBufferPointer) throws(TensorStorageError) {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let written = Foundation.write(descriptor, rest.baseAddress, rest.count)
            if written < 0 {
                if errno == EINTR { continue }
                throw failure("written")
            }
            done += written
        }
    }

    fileprivate func failure(_ participle: String) -> TensorStorageError {
        TensorStorageError(
            path: path, "cannot be \(participle): \(SystemError.reason(errno, at: path)).")
    }
}

/// Creates or replaces the file at `path` with what `body` writes: whole or not at all.
///
/// The file is written under a name of its own beside `path`, synchronised with the disk and renamed;
/// then the directory is synchronised, so that the rename too survives a power cut.
///
/// A device or a pipe is written through: a rename would put a file in its place for everybody on the machine. A
/// symbolic link is followed.
func replaceFile(_ path: String, _ body: (ReplacedFile) throws -> Void) throws {
    var status = stat()
    let exists = stat(path, &status) == 0
    if exists && ![S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT) {
        return try writeThrough(path, body)
    }
    let resolved = exists ? URL(fileURLWithPath: path).resolvingSymlinksInPath().path : path
    try replaceRegularFile(resolved, shown: path, body)
}

private func writeThrough(_ path: String, _ body: (ReplacedFile) throws -> Void) throws {
    let descriptor = open(path, O_WRONLY | O_CLOEXEC)
    let file = ReplacedFile(descriptor: descriptor, path: path)
    guard descriptor >= 0 else { throw file.failure("written") }
    var isOpen = true
    defer { if isOpen { close(descriptor) } }
    try body(file)
    isOpen = false
    guard close(descriptor) == 0 else { throw file.failure("written") }
}

/// Writes beside `path` and renames; `shown` is the path as the user gave it.
private func replaceRegularFile(
    _ path: String, shown: String, _ body: (ReplacedFile) throws -> Void
) throws {
    let target = URL(fileURLWithPath: path)
    let directory = target.deletingLastPathComponent().path
    let beside = "\(directory)/.\(target.lastPathComponent).writing-\(UUID().uuidString)"
    let descriptor = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    let file = ReplacedFile(descriptor: descriptor, path: shown)
    guard descriptor >= 0 else { throw file.failure("created") }
    var isOpen = true
    do {
        try body(file)
        guard fsync(descriptor) == 0 else { throw file.failure("written") }
        // A network file system may report a full disk only here.
        isOpen = false
        guard close(descriptor) == 0 else { throw file.failure("written") }
        guard rename(beside, path) == 0 else { throw file.failure("put in its place") }
    } catch {
        if isOpen { close(descriptor) }
        unlink(beside)
        throw error
    }
    try synchronizeDirectory(directory, of: file)
}

private func synchronizeDirectory(_ directory: String, of file: ReplacedFile) throws {
    let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw file.failure("synchronised with the disk") }
    defer { close(descriptor) }
    // Some file systems cannot synchronise a directory and say EINVAL; the file itself is safe.
    guard fsync(descriptor) == 0 || errno == EINVAL else {
        throw file.failure("synchronised with the disk")
    }
}
