import ArgumentParser
import Experiments
import Kernels
import LanguageModeling
import Platform
import TensorStorage
import Transformer

/// `sandbox text forward`: logits, loss and gradients of a language model on given ids.
struct TextForwardCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forward",
        abstract: "Run a language model on given ids; with --gradients, differentiate it too.",
        discussion: """
            Reads a list of equally long lists of ids. Writes `logits` F32 [B, T, V] and, where T is above 1, `loss` F32 \
            [1]: the mean cross-entropy of the next tokens in nats. --gradients adds `grad.<parameter name>` F32 for \
            every parameter, by Hugging Face's names.

            Example:
              sandbox text forward --model path/to/llama --ids ids.json --output out.safetensors

            Exit status: 0 written, 1 no usable model, ids or place to write, 64 a usage error.
            """)

    @Option(help: "A folder with config.json and safetensors, as Hugging Face keeps a Llama.")
    var model: String

    @Option(help: "A JSON file: a list of equally long lists of ids.")
    var ids: String

    @Option(help: "The safetensors file to write.")
    var output: String

    @Flag(help: "Also write the gradients of the loss.")
    var gradients = false

    @OptionGroup var workers: WorkersOption

    func run() throws {
        try reportingErrors {
            let directory = try ModelDirectory(path: model)
            let batch = try TokenBatch(path: ids, for: directory.configuration.llama)
            try refuseToReplace([ids, model], by: output)
            if gradients && batch.length == 1 {
                throw LanguageModelError(
                    path: ids,
                    "sequences of one id have no next token and no loss to differentiate; give longer ones or leave out "
                        + "--gradients.")
            }
            let pass = ForwardPass(directory, batch, gradients: gradients, workers: workers.count)
            try writeSafetensors(pass.run(), to: output)
        }
    }
}

/// The sequences of a batch, a few at a time.
private struct ForwardPass {
    let configuration: LlamaConfiguration
    let weights: LlamaWeights
    let batch: TokenBatch
    let gradients: Bool
    let workers: Int

    /// Rows in memory at a time: more make the products no faster.
    private static let rowLimit = 1024

    init(_ directory: ModelDirectory, _ batch: TokenBatch, gradients: Bool, workers: Int) {
        configuration = directory.configuration.llama
        weights = directory.weights
        self.batch = batch
        self.gradients = gradients
        self.workers = workers
    }

    /// The tensors to write.
    func run() -> [SafetensorsContent] {
        let (T, V) = (batch.length, configuration.vocabularySize)
        let count = batch.sequences.count
        let size = min(count, max(1, Self.rowLimit / T))
        let decoder = LlamaDecoder(configuration)
        let workspace = LlamaWorkspace(
            configuration, rows: size * T, longest: T, forTraining: gradients, workers: workers)
        let layout = configuration.layout
        let flat = FloatView(zeros: gradients ? layout.count : 0)
        let logits = FloatView(zeros: count * T * V)
        let weight = T > 1 ? 1 / Float(count * (T - 1)) : 0
        var loss = 0.0
        for first in stride(from: 0, to: count, by: size) {
            let rows = RowsOfSequences(batch.sequences[first..<min(first + size, count)], weight)
            if gradients {
                _ = decoder.lossAndGradients(
                    weights: weights, gradients: configuration.gradients(in: flat),
                    workspace: workspace, tokens: rows.tokens, sequences: rows.sequences,
                    targets: rows.targets, lossWeights: rows.lossWeights)
            } else {
                decoder.forward(
                    weights: weights, workspace: workspace, tokens: rows.tokens,
                    sequences: rows.sequences)
            }
            let range = first * T..<first * T + rows.tokens.count
            let part = logits[range.lowerBound * V..<range.upperBound * V]
            decoder.logits(part, weights: weights, workspace: workspace, rows: 0..<range.count)
            loss += rows.loss(of: part)
        }
        var contents = [SafetensorsContent.floats("logits", shape: [count, T, V], logits)]
        if T > 1 { contents.append(.floats("loss", shape: [1], FloatView([Float(loss)]))) }
        guard gradients else { return contents }
        return contents
            + layout.tensors(in: flat).map {
                .floats("grad." + $0.name, shape: $0.shape, $0.view)
            }
    }
}

/// Sequences one after another: every row's next token is its target, and the last row of each carries no loss.
private struct RowsOfSequences {
    let tokens: IndexView
    let targets: IndexView
    let lossWeights: FloatView
    let sequences: [Range<Int>]

    init(_ lists: ArraySlice<[Int]>, _ weight: Float) {
        tokens = IndexView(lists.joined().map(Int32.init))
        targets = IndexView(lists.flatMap { $0.dropFirst().map(Int32.init) + [0] })
        lossWeights = FloatView(
            lists.flatMap { Array(repeating: weight, count: $0.count - 1) + [Float(0)] })
        var end = 0
        sequences = lists.map { list in
            defer { end += list.count }
            return end..<end + list.count
        }
    }

    /// `Σ w ℓ` from the rows' logits.
    func loss(of logits: FloatView) -> Double {
        let losses = FloatView(zeros: tokens.count)
        crossEntropy(losses: losses, logits: logits, targets: targets, weights: nil)
        return (0..<tokens.count).reduce(0) {
            lossWeights[$1] == 0 ? $0 : $0 + Double(lossWeights[$1]) * Double(losses[$1])
        }
    }
}
