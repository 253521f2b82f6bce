import Randomness

/// A contextual prompt with the name of its strategy.
public struct ContextualPrompt: Sendable, Hashable {
    /// The strategy, such as `Focus on Key Concepts`.
    public let name: String
    /// What stands before a text.
    public let text: String

    /// - Parameters:
    ///   - name: the strategy.
    ///   - text: what stands before a text.
    public init(name: String, text: String) {
        self.name = name
        self.text = text
    }
}

/// The contextual prompts that a training example draws one from.
public struct PromptPool: Sendable, Hashable {
    /// The prompts in the order of their file, which decides what a draw means.
    public let prompts: [ContextualPrompt]

    /// - Precondition: `prompts` is not empty.
    public init(_ prompts: [ContextualPrompt]) {
        precondition(!prompts.isEmpty, "a pool needs a prompt to draw")
        self.prompts = prompts
    }

    /// The prompt of one document in one epoch, drawn uniformly.
    ///
    /// It depends on nothing but the arguments, so a resumed run and any order of the documents draw the same.
    ///
    /// - Parameters:
    ///   - seed: the run's seed.
    ///   - epoch: passes over the corpus that are done.
    ///   - document: the document's place in the corpus.
    /// - Precondition: `epoch` and `document` fit 32 bits without a sign.
    public func prompt(seed: UInt64, epoch: Int, document: Int) -> ContextualPrompt {
        var generator = CounterGenerator(
            RandomKey(seed: seed, stream: .contextualPrompt, step: epoch, example: document))
        return prompts[generator.integer(below: prompts.count)]
    }
}
