import Foundation
import Platform

/// Event files as wholes: their names, replacing them, reading them.
public enum EventFile {
    private static let prefix = "events.out.tfevents."

    /// The paths of the event files in `folder`, the oldest first; empty when the folder is missing.
    public static func paths(in folder: String) throws -> [String] {
        try Folder.contents(of: folder).filter(isName).map { "\(folder)/\($0)" }
    }

    /// Whether a file of this name is an event file.
    public static func isName(_ name: String) -> Bool { name.hasPrefix(prefix) }

    /// Gives `folder` one whole new event file in place of those it had, for values that are measured anew
    /// as a whole: an error curve over k.
    ///
    /// The file appears whole or not at all, under a new name, because TensorBoard would go on reading the
    /// old one from where it stopped.
    ///
    /// - Parameter time: the time of the version record and of the name.
    /// - Returns: the new file's path.
    @discardableResult
    public static func replace(
        in folder: String, events: [Event], time: Date = Date()
    ) throws -> String {
        try Folder.create(folder)
        let old = try paths(in: folder)
        let path = freshPath(in: folder, time: time)
        var bytes = EventRecord.framed(Event.versionMessage(wallTime: time.timeIntervalSince1970))
        for event in events { bytes += EventRecord.framed(event.message) }
        try AtomicFile.write(Data(bytes), to: path)
        for path in old { try Folder.remove(path) }
        return path
    }

    /// `events.out.tfevents.<%010d seconds>.<host>.<pid>.<n>`, with the first n that is free.
    static func freshPath(in folder: String, time: Date) -> String {
        let seconds = String(max(0, Int(time.timeIntervalSince1970)))
        let padded = String(repeating: "0", count: max(0, 10 - seconds.count)) + seconds
        let process = ProcessInfo.processInfo
        let host = process.hostName.replacing("/", with: "-")
        let stem = "\(folder)/\(prefix)\(padded).\(host).\(process.processIdentifier)."
        var number = 0
        while FileManager.default.fileExists(atPath: stem + String(number)) { number += 1 }
        return stem + String(number)
    }

    static func damaged(_ path: String, at offset: Int, _ what: String) -> SystemError {
        SystemError(
            "'\(path)' is damaged at byte \(offset): \(what); restore it, or delete the folder "
                + "'\(Path.parent(of: path))' and ask for the run again, which makes it anew")
    }

    /// Refuses bytes that were never an event file, before anything is cut from them.
    ///
    /// A file of zeros passes: a power cut can leave one before its first record has reached the disk.
    static func refuseForeign(
        _ bytes: [UInt8], _ walk: EventRecord.Walk, path: String
    ) throws {
        if let first = walk.records.first {
            if case .version(Event.fileVersion)? = try? Event.parse(bytes[first]) { return }
        } else if walk.damage == nil || walk.damage == .unterminated
            || bytes.allSatisfy({ $0 == 0 })
        {
            return
        }
        throw SystemError(
            "'\(path)' is no TensorBoard event file: it does not start with a record that says "
                + "\(Event.fileVersion); give another path")
    }
}

/// Reads event files.
public enum EventReader {
    /// The events of the file at `path`, without its version record; an unterminated last record is left out.
    ///
    /// - Parameter count: the bytes that matter, such as those that a checkpoint counts; all of them unless given.
    /// - Throws: ``SystemError`` naming the file and the byte offset of a record that is damaged.
    public static func read(_ path: String, first count: Int = .max) throws -> [Event] {
        let bytes = [UInt8](try WholeFile.read(path).prefix(count))
        let walk = EventRecord.walk(bytes)
        try EventFile.refuseForeign(bytes, walk, path: path)
        if let damage = walk.damage, damage != .unterminated {
            throw EventFile.damaged(path, at: walk.end, damage.rawValue)
        }
        return try walk.records.compactMap { record in
            do {
                switch try Event.parse(bytes[record]) {
                case .event(let event): return event
                case .version: return nil
                }
            } catch is ProtobufField.Malformed {
                throw EventFile.damaged(
                    path, at: record.lowerBound, "the record's data are no event")
            }
        }
    }
}
