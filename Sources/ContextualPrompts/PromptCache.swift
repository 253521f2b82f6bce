import Experiments
import Foundation
import Platform

/// The prompts that were asked for once: a JSON-lines file that grows by one line for each answer.
///
/// Reading needs no lock, since lines are never changed. Whoever writes holds `<path>.lock`, so that two processes do not
/// ask for the same prompt, nor cut each other's unfinished line. The lock's file goes with its holder, and the first prompt
/// makes the other: an endpoint that never answers leaves nothing.
final class PromptCache {
    private let path: String
    private let lock: FileLock
    private var writer: RecordWriter?

    /// One line.
    private struct Record: Decodable {
        let key: String
        let prompt: String

        private enum Names: String, CodingKey { case key, prompt }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Names.self)
            key = try container.decode(String.self, forKey: .key)
            prompt = try container.decode(String.self, forKey: .prompt)
            if prompt.isEmpty {
                throw DecodingError.dataCorruptedError(
                    forKey: .prompt, in: container, debugDescription: "an empty prompt")
            }
        }
    }

    /// Opens the file for writing, once no other process does, and cuts off the line that a killed one left unfinished.
    init(path: String, patience: Patience) throws {
        self.path = path
        lock = try Self.lock(path + ".lock", patience)
        writer = Folder.holdsFile(path) ? try RecordWriter(path: path) : nil
    }

    deinit { lock.discard() }

    /// The prompts by their key; none when there is no file. An unfinished last line does not count.
    ///
    /// - Throws: `SystemError` naming file and line of a damaged one.
    static func read(_ path: String) throws -> [String: String] {
        if !Folder.holdsFile(path) { return [:] }
        let records: [Record]
        do {
            records = try RecordReader.read(path, as: Record.self)
        } catch let error as SystemError where error.code == 0 {
            throw SystemError("\(error); delete that line, and its prompt is asked for again")
        }
        return Dictionary(records.map { ($0.key, $0.prompt) }, uniquingKeysWith: { $1 })
    }

    /// Keeps a prompt, on the disk when this returns: an answer may have cost money.
    func append(_ prompt: String, key: String, document: String, model: String) throws {
        let writer = try self.writer ?? RecordWriter(path: path)
        self.writer = writer
        try writer.append([
            "key": .string(key), "document": .string(document), "model": .string(model),
            "prompt": .string(prompt),
        ])
        try writer.synchronize()
    }

    private static func lock(_ path: String, _ patience: Patience) throws -> FileLock {
        while true {
            if let lock = try FileLock.tryLock(path) { return lock }
            try patience.wait(until: .now + .milliseconds(200))
        }
    }
}
