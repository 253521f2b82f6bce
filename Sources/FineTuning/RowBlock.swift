import Kernels
import Objectives

/// Sequences one after another in the rows of one pass: every row but a sequence's last token predicts the next one.
///
/// No row is padding, and none is spent on a last token, which predicts nothing.
struct RowBlock {
    /// `[R]`.
    let tokens: IndexView
    /// `[R]`: the token after each row's.
    let targets: IndexView
    /// `[R]`: the weight of each target.
    let lossWeights: FloatView
    /// The rows of each sequence.
    let sequences: [Range<Int>]

    /// - Parameters:
    ///   - examples: the sequences.
    ///   - scale: what the weights are multiplied with, such as 1 ÷ the sum of an update's weights.
    init(_ examples: [TrainingExample], scale: Double) {
        tokens = IndexView(examples.flatMap { $0.tokens.dropLast() })
        targets = IndexView(examples.flatMap { $0.tokens.dropFirst() })
        lossWeights = FloatView(
            examples.flatMap { example in
                example.lossWeights.dropFirst().map { Float(Double($0) * scale) }
            })
        var end = 0
        sequences = examples.map { example in
            defer { end += example.rowCount }
            return end..<end + example.rowCount
        }
    }
}

extension TrainingExample {
    /// Rows of a pass that it takes.
    var rowCount: Int { tokens.count - 1 }
}

/// What shares the rows of one sequence length: packed examples, or the two sides of a preference.
struct Bin: Sendable {
    /// Sequences that do not see each other.
    let examples: [TrainingExample]
    /// Under dpo the place of the pair in the corpus's training part; the examples are the chosen and the rejected one.
    var pair: Int?

    /// Rows of a pass that it takes.
    var rowCount: Int { examples.reduce(0) { $0 + $1.rowCount } }
    /// `Σ w`.
    var targetWeight: Double { examples.reduce(0) { $0 + $1.targetWeight } }
}
