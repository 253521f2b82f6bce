/// A sequence to train on: tokens, and how much each counts.
public struct TrainingExample: Sendable, Hashable {
    /// `[T]`: ids, the beginning of a sequence first where the tokenizer has one.
    public let tokens: [Int32]
    /// `[T]`: the weight of predicting this token from those before it; 0 for the prompt, and for the first token, which
    /// nothing predicts.
    public let lossWeights: [Float]
    /// Where its document was read, for messages.
    public let place: String

    /// - Parameters:
    ///   - tokens: `[T]`, two or more.
    ///   - lossWeights: `[T]`, 0 or more, the first of them 0.
    ///   - place: where its document was read.
    public init(tokens: [Int32], lossWeights: [Float], place: String) {
        precondition(tokens.count == lossWeights.count && tokens.count >= 2)
        precondition(lossWeights[0] == 0, "nothing predicts the first token")
        self.tokens = tokens
        self.lossWeights = lossWeights
        self.place = place
    }

    /// `Σ w`: what the mean loss is divided by; a sum over target tokens.
    public var targetWeight: Double { lossWeights.reduce(0) { $0 + Double($1) } }
}

/// Two sequences that share a prompt, of which the first is preferred; loss weights mark the answers.
public struct PreferenceExample: Sendable, Hashable {
    /// Prompt and preferred answer.
    public let chosen: TrainingExample
    /// Prompt and the other answer.
    public let rejected: TrainingExample

    /// - Parameters:
    ///   - chosen: prompt and preferred answer.
    ///   - rejected: prompt and the other answer.
    public init(chosen: TrainingExample, rejected: TrainingExample) {
        self.chosen = chosen
        self.rejected = rejected
    }
}
