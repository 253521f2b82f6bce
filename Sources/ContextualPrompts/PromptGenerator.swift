import Experiments
import Foundation
import Platform

/// Asks a language model for one contextual prompt per document, and keeps the answers in a file.
///
/// Requests are made one after another. What is in the file is never asked for again, whichever process asked.
public struct PromptGenerator {
    /// What stands before a document's text in a request, and a blank line between.
    ///
    /// Choi et al., "Teaching LLMs How to Learn with Contextual Fine-Tuning" (ICLR 2025).
    public static let instruction =
        "Given the following text, generate a contextual prompt that encourages a reader to focus on the main ideas "
        + "and themes presented. The contextual prompt should be concise and help the reader engage deeply with the "
        + "content."

    private let options: PromptGeneratorOptions
    private let endpoint: PromptEndpoint
    private let cachePath: String
    private let environment: [String: String]
    private let patience: Patience

    /// - Parameters:
    ///   - options: the endpoint and how it is asked.
    ///   - cachePath: the JSON-lines file that keeps the answers, beside the corpus; `<cachePath>.lock` is its lock.
    ///   - environment: where the variable with the key is looked up.
    ///   - isInterrupted: asked between requests and while one waits.
    ///   - notice: told why a document is asked for once more.
    /// - Throws: `SystemError` for an option that no request can be made with.
    public init(
        options: PromptGeneratorOptions, cachePath: String,
        environment: [String: String] = ProcessInfo.processInfo.environment,
        isInterrupted: @escaping () -> Bool = { InterruptFlag.isRaised },
        notice: @escaping (String) -> Void = { _ in }
    ) throws {
        try options.check()
        self.options = options
        self.cachePath = cachePath
        self.environment = environment
        endpoint = try PromptEndpoint(options.url)
        patience = Patience(cachePath: cachePath, isInterrupted: isInterrupted, notice: notice)
    }

    /// The prompt of every document, in their order: from the file, or asked for and kept there.
    ///
    /// The key is read when something has to be asked: a file that has all prompts needs neither key nor endpoint.
    ///
    /// - Parameters:
    ///   - documents: `digest` names the text in the file, `place` in messages.
    ///   - progress: called with how many documents have their prompt, after each one that was asked for.
    /// - Throws: `SystemError` with address, document, what came and the cure; ``PromptsInterrupted`` after a signal.
    ///   What has come by then is kept.
    public func prompts(
        for documents: [(digest: String, text: String, place: String)],
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws -> [String] {
        let keys = documents.map { cacheKey(digest: $0.digest) }
        var known = try PromptCache.read(cachePath)
        if keys.contains(where: { known[$0] == nil }) {
            let key = try EndpointKey(variable: options.keyVariable, in: environment)
            let cache = try PromptCache(path: cachePath, patience: patience)
            // Another process may have asked while this one waited for the file.
            known = try PromptCache.read(cachePath)
            var asker = PromptAsker(
                options: options, endpoint: endpoint, key: key, patience: patience)
            let missing = documents.indices.filter { known[keys[$0]] == nil }
            for (place, index) in missing.enumerated() {
                let document = documents[index]
                // The same text may stand in the corpus twice.
                if known[keys[index]] == nil {
                    let prompt = try asker.prompt(for: document.text, place: document.place)
                    try cache.append(
                        prompt, key: keys[index], document: document.digest, model: options.model)
                    known[keys[index]] = prompt
                }
                progress(documents.count - missing.count + place + 1, documents.count)
            }
        }
        return keys.compactMap { known[$0] }
    }

    /// SHA-256 of all that decides what is asked for a document, but for the seed.
    private func cacheKey(digest: String) -> String {
        let question: JSONValue = [
            "document": .string(digest), "instruction": .string(Self.instruction),
            "max_tokens": .integer(options.maximumTokens), "model": .string(options.model),
            "temperature": .number(options.temperature),
        ]
        return sha256Hex(Data(CanonicalJSON.text(of: question).utf8))
    }
}
