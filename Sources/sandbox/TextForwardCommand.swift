import ArgumentParser
import Experiments
import FineTuning
import Foundation
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
            every parameter, by Hugging Face's names; with --adapter those of the adapters' factors, by PEFT's names, since the \
            model is frozen then. Nothing is dropped out.

            Example:
              sandbox text forward --model path/to/llama --ids ids.json --output out.safetensors

            Exit status: 0 written, 1 no usable model, ids or place to write, 64 a usage error.
            """)

    @Option(help: "A folder with config.json and safetensors, as Hugging Face keeps a Llama.")
    var model: String

    @Option(help: adapterHelp)
    var adapter: String?

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
            let adapter = try adapter.map { try AdapterDirectory(path: $0, base: directory) }
            try refuseToReplace(
                [ids, model] + directory.files + (adapter?.files ?? []), by: output)
            if gradients && batch.length == 1 {
                throw LanguageModelError(
                    path: ids,
                    "sequences of one id have no next token and no loss to differentiate; give longer ones or leave out "
                        + "--gradients.")
            }
            let plan = ForwardPlan(
                directory, adapter, batch, gradients: gradients, workers: workers.count)
            try requireMemory(for: plan)
            let pass = ForwardPass(plan)
            try writeSafetensors(pass.contents, to: output)
            if !pass.loss[0].isFinite {
                Terminal.write(
                    "warning: \(model): the loss is \(pass.loss[0]); the weights are damaged or too large for fp32\n",
                    to: .error)
            }
        }
    }

    private func requireMemory(for plan: ForwardPlan) throws {
        let available = MemoryStatistics.available()
        guard plan.memory > Double(available) else { return }
        func gigabytes(_ bytes: Double) -> String { String(format: "%.1f GB", bytes / 1e9) }
        let batch = plan.batch
        throw LanguageModelError(
            path: ids,
            "B = \(batch.sequences.count) sequences of T = \(batch.length) ids with V = "
                + "\(plan.configuration.vocabularySize) logits each take \(gigabytes(plan.memory)) of memory, and "
                + "\(gigabytes(Double(available))) are free; give shorter sequences or free some memory."
        )
    }
}

/// What is computed, a few sequences at a time.
private struct ForwardPlan: Sendable {
    let configuration: LlamaConfiguration
    let weights: LlamaWeights
    let adapters: LlamaLoRA?
    /// What is differentiated: all parameters, or the adapters.
    let layout: TensorLayout
    let batch: TokenBatch
    let gradients: Bool
    let workers: Int
    /// Sequences at a time.
    let size: Int

    /// Rows in memory at a time: more make the products no faster.
    private static let rowLimit = 1024
    init(
        _ directory: ModelDirectory, _ adapter: AdapterDirectory?, _ batch: TokenBatch,
        gradients: Bool, workers: Int
    ) {
        configuration = directory.configuration.llama
        weights = directory.weights
        adapters = adapter?.adapters(of: directory)
        layout = adapter?.layout(of: directory) ?? configuration.layout
        self.batch = batch
        self.gradients = gradients
        self.workers = workers
        size = min(batch.sequences.count, max(1, Self.rowLimit / batch.length))
    }

    /// Those of the model in `flat`; nil where it is frozen.
    func modelGradients(in flat: FloatView) -> LlamaGradients? {
        adapters == nil ? configuration.gradients(in: flat) : nil
    }

    /// Rows at a time.
    var rows: Int { size * batch.length }

    /// About how many bytes it takes beside the weights, which stay in their files.
    var memory: Double {
        let logits = min(rows, configuration.logitRows) * configuration.vocabularySize
        let numbers = logits + (gradients ? layout.count : 0)
        return 4 * Double(numbers)
            + configuration.workspaceBytes(
                rows: rows, longest: batch.length, forTraining: gradients, workers: workers,
                lora: adapters?.configuration)
    }
}

/// The pass over a batch: logits are written as they are made, for all of them may be larger than memory.
private struct ForwardPass: Sendable {
    /// `[1]`: the loss, once the logits are written.
    let loss = FloatView(zeros: 1)
    private let plan: ForwardPlan
    /// The gradients, once the logits are written.
    private let flat: FloatView

    init(_ plan: ForwardPlan) {
        self.plan = plan
        flat = FloatView(zeros: plan.gradients ? plan.layout.count : 0)
    }

    /// The tensors to write.
    var contents: [SafetensorsContent] {
        let (B, T) = (plan.batch.sequences.count, plan.batch.length)
        var contents = [
            SafetensorsContent.floats(
                "logits", shape: [B, T, plan.configuration.vocabularySize], pieces: run)
        ]
        if T > 1 { contents.append(.floats("loss", shape: [1], loss)) }
        guard plan.gradients else { return contents }
        return contents
            + plan.layout.tensors(in: flat).map {
                .floats("grad." + $0.name, shape: $0.shape, $0.view)
            }
    }

    /// Hands on the logits; leaves loss and gradients.
    @Sendable private func run(_ write: (FloatView) throws -> Void) throws {
        let (count, T) = (plan.batch.sequences.count, plan.batch.length)
        let decoder = LlamaDecoder(plan.configuration)
        let workspace = LlamaWorkspace(
            plan.configuration, rows: plan.rows, longest: T, forTraining: plan.gradients,
            workers: plan.workers, lora: plan.adapters?.configuration)
        let logits = LogitPieces(plan, decoder, workspace)
        let weight = T > 1 ? 1 / Float(count * (T - 1)) : 0
        var total = 0.0
        for first in stride(from: 0, to: count, by: plan.size) {
            let rows = RowsOfSequences(
                plan.batch.sequences[first..<min(first + plan.size, count)], weight)
            if plan.gradients {
                total += decoder.lossAndGradients(
                    weights: plan.weights, gradients: plan.modelGradients(in: flat),
                    adapters: plan.adapters.map {
                        LoRATraining(
                            parameters: $0,
                            gradients: LlamaLoRA($0.configuration, plan.configuration, in: flat))
                    }, workspace: workspace, tokens: rows.tokens, sequences: rows.sequences,
                    targets: rows.targets, lossWeights: rows.lossWeights)
                try logits.forEach(rows) { part, _ in try write(part) }
            } else {
                decoder.forward(
                    weights: plan.weights, adapters: plan.adapters, workspace: workspace,
                    tokens: rows.tokens, sequences: rows.sequences)
                try logits.forEach(rows) { part, range in
                    total += logits.loss(of: part, rows, range)
                    try write(part)
                }
            }
        }
        loss[0] = Float(total)
    }
}

/// The logits of a pass, those of a few rows at a time.
private struct LogitPieces {
    private let plan: ForwardPlan
    private let decoder: LlamaDecoder
    private let workspace: LlamaWorkspace
    private let pool: WorkerPool
    private let logits: FloatView
    private let losses: FloatView
    private let V: Int

    init(_ plan: ForwardPlan, _ decoder: LlamaDecoder, _ workspace: LlamaWorkspace) {
        self.plan = plan
        self.decoder = decoder
        self.workspace = workspace
        pool = WorkerPool(workers: plan.workers)
        V = plan.configuration.vocabularySize
        let rows = min(plan.rows, plan.configuration.logitRows)
        logits = FloatView(zeros: rows * V)
        losses = FloatView(zeros: rows)
    }

    /// Calls `body` with the logits of the last pass over `rows`, piece after piece.
    func forEach(
        _ rows: RowsOfSequences, _ body: (FloatView, Range<Int>) throws -> Void
    ) throws {
        // Of one size, nearly: a last piece of few rows would be summed in another order than the rest.
        let count = rows.tokens.count
        let size = plan.configuration.logitRows
        let pieces = (count + size - 1) / size
        for piece in 0..<pieces {
            let range = count * piece / pieces..<count * (piece + 1) / pieces
            let part = logits[0..<range.count * V]
            decoder.logits(part, weights: plan.weights, workspace: workspace, rows: range)
            try body(part, range)
        }
    }

    /// `Σ w ℓ` of the rows `range` from their logits.
    func loss(of part: FloatView, _ rows: RowsOfSequences, _ range: Range<Int>) -> Double {
        let share = (range.count + pool.workerCount - 1) / pool.workerCount
        pool.run(parts: (range.count + share - 1) / share) { number, _ in
            let own = number * share..<min((number + 1) * share, range.count)
            let start = range.lowerBound
            crossEntropy(
                losses: losses[own], logits: part[own.lowerBound * V..<own.upperBound * V],
                targets: rows.targets[start + own.lowerBound..<start + own.upperBound],
                weights: nil)
        }
        return (0..<range.count).reduce(0) { sum, row in
            let weight = rows.lossWeights[range.lowerBound + row]
            return weight == 0 ? sum : sum + Double(weight) * Double(losses[row])
        }
    }
}

/// Sequences one after another: every row's next token is its target, and the last row of each carries no loss.
private struct RowsOfSequences: Sendable {
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
}
