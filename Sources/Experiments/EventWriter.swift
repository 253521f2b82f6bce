import Foundation
import Platform

/// A TensorBoard event file that grows by whole records: one event, one `write(2)`.
///
/// Equal events at equal times give equal bytes, so a resumed run's file equals an undisturbed one's but for
/// its name and its times. Not `Sendable`: it belongs to one writer.
public final class EventWriter {
    private let file: AppendOnlyFile

    /// Starts a new file in `folder` (which is created when missing), named after `time`, host and process;
    /// its first record is the format's version.
    public init(creatingIn folder: String, time: Date = Date()) throws {
        try Folder.create(folder)
        file = try AppendOnlyFile(path: EventFile.freshPath(in: folder, time: time))
        try appendVersion(time)
    }

    /// Continues the file at `path` and drops the damaged last record that a killed process or a power cut
    /// can leave; a missing or empty file gets its version record.
    ///
    /// - Parameter byteLength: what a checkpoint stored: the file is cut back to it, and no damage behind it
    ///   matters.
    /// - Throws: ``SystemError`` when the file is shorter than `byteLength`, when whole records follow a
    ///   damaged one, or when the file is no event file; the file stays as it was.
    public init(path: String, cutTo byteLength: Int? = nil, time: Date = Date()) throws {
        file = try AppendOnlyFile(path: path)
        if let byteLength { try CountedRecords.check(path, against: byteLength) }
        let bytes = [UInt8](try WholeFile.read(path).prefix(byteLength ?? .max))
        let walk = EventRecord.walk(bytes)
        try EventFile.refuseForeign(bytes, walk, path: path)
        if let damage = walk.damage, damage != .unterminated,
            byteLength != nil || EventRecord.hasWholeRecord(behind: walk.end, in: bytes)
        {
            throw EventFile.damaged(path, at: walk.end, damage.rawValue)
        }
        if walk.end < (try file.byteLength) { try file.truncate(toByteLength: walk.end) }
        if walk.end == 0 { try appendVersion(time) }
    }

    /// The file's path.
    public var path: String { file.path }

    /// The file's length in bytes: what a checkpoint stores, to be given back to
    /// ``init(path:cutTo:time:)`` on resume.
    public var byteLength: Int { get throws { try file.byteLength } }

    /// Appends an event as one record.
    public func append(_ event: Event) throws {
        try file.append(Data(EventRecord.framed(event.message)))
    }

    /// Appends the scalars measured at a step, as one record.
    public func append(step: Int, time: Date, scalars: [(tag: String, value: Double)]) throws {
        try append(Event(step: step, time: time, scalars: scalars))
    }

    /// Appends a session's start, the row of the HPARAMS tab.
    ///
    /// - Parameters:
    ///   - hyperparameters: nested objects are flattened to dotted names; see ``Event/Session``.
    ///   - groupName: the row's name, usually the run's.
    public func appendHyperparameters(
        _ hyperparameters: [String: JSONValue], groupName: String, time: Date
    ) throws {
        let session = Event.Session(
            hyperparameters: hyperparameters, groupName: groupName,
            startTime: time.timeIntervalSince1970)
        try append(Event.sessionStart(session, time: time))
    }

    /// Appends how the session ended.
    public func appendSessionEnd(status: Event.SessionStatus, time: Date) throws {
        try append(Event.sessionEnd(status, time: time))
    }

    /// Waits until every record has reached the disk.
    public func synchronize() throws { try file.synchronize() }

    private func appendVersion(_ time: Date) throws {
        let message = Event.versionMessage(wallTime: time.timeIntervalSince1970)
        try file.append(Data(EventRecord.framed(message)))
    }
}
