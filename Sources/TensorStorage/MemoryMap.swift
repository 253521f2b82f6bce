import Foundation

/// A regular file mapped read-only into memory; unmapped with its owner.
///
/// The file must not be shortened in place while it is mapped (the system would answer a read with
/// SIGBUS). Files written by ``writeSafetensors(_:metadata:to:)`` are replaced by rename, which is safe.
final class MemoryMap: @unchecked Sendable {
    /// The file's bytes.
    let bytes: UnsafeRawBufferPointer

    /// Maps the file at `path`.
    ///
    /// - Throws: ``TensorStorageError`` when it cannot be opened, is no regular file or cannot be mapped.
    init(path: String) throws(TensorStorageError) {
        // O_NONBLOCK: opening a named pipe must not wait for a writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw TensorStorageError(path: path, "cannot be opened: \(systemMessage()).")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw TensorStorageError(path: path, "cannot be examined: \(systemMessage()).")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw TensorStorageError(path: path, "is not a regular file.")
        }
        let size = Int(status.st_size)
        guard size > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0)
        guard let address, address != MAP_FAILED else {
            throw TensorStorageError(
                path: path, "cannot be mapped into memory: \(systemMessage()).")
        }
        bytes = UnsafeRawBufferPointer(start: address, count: size)
    }

    deinit {
        if let start = bytes.baseAddress {
            munmap(UnsafeMutableRawPointer(mutating: start), bytes.count)
        }
    }
}

/// The system's words for `code`, by default the last failed call's.
func systemMessage(_ code: Int32 = errno) -> String { String(cString: strerror(code)) }
