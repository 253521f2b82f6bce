import Experiments
import Foundation
import TestSupport

@testable import ContextualPrompts

/// A document whose text and digest are made from its name.
func document(_ name: String) -> (digest: String, text: String, place: String) {
    (sha256Hex(Data(name.utf8)), "A text about \(name).", "corpus.jsonl:\(name)")
}

/// A generator over a cache of its own, with pauses short enough for a test.
struct PromptBench {
    let folder: TemporaryDirectory
    var options: PromptGeneratorOptions
    var environment: [String: String] = [:]
    var isInterrupted: () -> Bool = { false }

    /// Kept: a server without an owner stops.
    private var server: TestServer?

    init(_ server: TestServer) throws {
        try self.init(url: server.url)
        self.server = server
    }

    init(url: String) throws {
        folder = try TemporaryDirectory()
        options = PromptGeneratorOptions(url: url, model: "tiny")
        options.firstWait = 0.01
        options.timeout = 5
        options.retries = 3
    }

    var cachePath: String { folder.file("prompts.jsonl") }

    /// The prompts of documents with these names.
    func prompts(
        _ names: String..., progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> [String] {
        let generator = try PromptGenerator(
            options: options, cachePath: cachePath, environment: environment,
            isInterrupted: isInterrupted)
        return try generator.prompts(for: names.map(document), progress: progress)
    }

    /// What the error of asking for the documents with these names says, the cache's folder left out.
    func message(_ name: String = "1") -> String {
        do {
            return "no error but \(try prompts(name))"
        } catch {
            return "\(error)".replacingOccurrences(of: folder.path + "/", with: "")
        }
    }

    /// The cache's text.
    func cacheText() throws -> String { try String(contentsOfFile: cachePath, encoding: .utf8) }
}
