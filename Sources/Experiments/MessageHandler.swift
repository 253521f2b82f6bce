import Foundation
import Logging
import Platform
import Synchronization

/// A file that takes log messages from any thread, such as a run's `run.log`.
public final class MessageFile: Sendable {
    private let file: Mutex<AppendOnlyFile>

    /// Opens `path` for appending.
    public init(path: String) throws {
        file = Mutex(try AppendOnlyFile(path: path))
    }

    /// Appends a line. A disk that is full stops the records and checkpoints; it need not stop a message.
    func append(_ line: String) {
        file.withLock { try? $0.append(Data((line + "\n").utf8)) }
    }
}

/// Sends log messages to standard error for people, and with time and level to a file.
///
/// On standard error a message is its text, from `warning` upwards behind the level's name.
public struct MessageHandler: LogHandler {
    /// Messages below this level are dropped.
    public var logLevel: Logger.Level
    /// Values that go with every message.
    public var metadata: Logger.Metadata = [:]
    private let label: String
    private let shownLevel: Logger.Level
    private let file: MessageFile?
    private let sink: @Sendable (String) -> Void
    private let now: @Sendable () -> Date

    /// Makes a handler.
    ///
    /// - Parameters:
    ///   - label: the logger's name, written to the file.
    ///   - level: messages below it are dropped.
    ///   - shownLevel: messages below it reach the file alone.
    ///   - file: takes every message too, when given.
    ///   - sink: takes the lines for people; standard error unless given.
    ///   - now: the time of a message.
    public init(
        label: String, level: Logger.Level = .info, shownLevel: Logger.Level = .info,
        file: MessageFile? = nil,
        sink: @escaping @Sendable (String) -> Void = MessageHandler.writeToStandardError,
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.label = label
        logLevel = level
        self.shownLevel = shownLevel
        self.file = file
        self.sink = sink
        self.now = now
    }

    /// A logger with such a handler.
    ///
    /// - Parameter isQuiet: only warnings and errors reach standard error; the file takes everything.
    public static func logger(
        label: String, isQuiet: Bool = false, file: MessageFile? = nil
    ) -> Logger {
        let handler = MessageHandler(
            label: label, shownLevel: isQuiet ? .warning : .info, file: file)
        return Logger(label: label, factory: { _ in handler })
    }

    /// Writes a line to standard error, over a progress line that may stand there.
    @Sendable public static func writeToStandardError(_ line: String) {
        let clear = Terminal.isTerminal(.error) ? "\r\u{1B}[K" : ""
        Terminal.write("\(clear)\(line)\n", to: .error)
    }

    /// Writes one message.
    public func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:], uniquingKeysWith: { $1 })
        let values = all.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        let text = "\(event.message)\(values)"
        if event.level >= shownLevel {
            sink(event.level >= .warning ? "\(event.level): \(text)" : text)
        }
        file?.append("\(now().ISO8601Format()) \(event.level) \(label): \(text)")
    }

    /// One of the values that go with every message.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }
}
