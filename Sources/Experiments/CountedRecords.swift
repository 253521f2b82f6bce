import Foundation
import Platform

/// A run's record files against what a checkpoint counts of them.
public enum CountedRecords {
    /// Refuses a record file without what a checkpoint counts of it: going on would hide that records are gone.
    ///
    /// - Parameters:
    ///   - path: the file, in its run's folder.
    ///   - length: its length in bytes at the checkpoint.
    ///   - isExact: whether a longer file is wrong as well, because nothing is written after that checkpoint.
    /// - Throws: ``SystemError`` with the cure.
    public static func check(_ path: String, against length: Int, isExact: Bool = false) throws {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        let present = attributes?[.size] as? Int ?? 0
        if present == length || (present > length && !isExact) { return }
        let run = RunDirectory(path: Path.parent(of: path))
        throw SystemError(
            "'\(path)' has \(present) bytes, but its checkpoint was written at \(length); the file was cut or "
                + "replaced: \(run.cure)")
    }
}
