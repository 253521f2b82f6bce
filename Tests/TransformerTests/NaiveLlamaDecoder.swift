import Foundation
import Kernels
import TensorStorage
import TestSupport
import Transformer

/// A whole Llama model from the kernels' naive twins, in double precision, forward only.
struct NaiveLlamaDecoder {
    let configuration: LlamaConfiguration
    /// The parameters by name.
    var parameters: [String: [Double]]

    init(_ configuration: LlamaConfiguration, _ flat: FloatView) {
        self.configuration = configuration
        parameters = [:]
        for tensor in configuration.layout.tensors(in: flat) {
            parameters[tensor.name] = tensor.view.doubles
        }
    }

    /// `Σ w ℓ`.
    func loss(_ batch: LlamaBatch) -> Double {
        zip(losses(batch), batch.weights).reduce(0) { $0 + $1.0 * Double($1.1) }
    }

    /// ℓ: `[R]`.
    func losses(_ batch: LlamaBatch) -> [Double] {
        Naive.crossEntropy(logits(batch), targets: batch.targets.map(Int.init))
    }

    /// `[R, V]`.
    func logits(_ batch: LlamaBatch) -> [Double] {
        let C = configuration.hiddenSize
        let table = tensor("model.embed_tokens.weight")
        var residual = batch.tokens.flatMap { table[Int($0) * C..<(Int($0) + 1) * C] }
        for layer in 0..<configuration.layerCount {
            let prefix = "model.layers.\(layer)."
            let attended = attention(
                normalize(residual, prefix + "input_layernorm"), prefix + "self_attn.", batch)
            residual = sum(residual, attended)
            let input = normalize(residual, prefix + "post_attention_layernorm")
            let hidden = Naive.swiGLU(
                gate: linear(input, prefix + "mlp.gate_proj", from: C),
                up: linear(input, prefix + "mlp.up_proj", from: C))
            residual = sum(
                residual,
                linear(hidden, prefix + "mlp.down_proj", from: configuration.intermediateSize))
        }
        let head = configuration.tiesEmbeddings ? "model.embed_tokens" : "lm_head"
        return linear(normalize(residual, "model.norm"), head, from: C)
    }

    private func attention(_ x: [Double], _ prefix: String, _ batch: LlamaBatch) -> [Double] {
        let (C, H) = (configuration.hiddenSize, configuration.headCount)
        let (G, K) = (configuration.keyValueHeadCount, configuration.headSize)
        let positions = batch.sequences.flatMap { Array(0..<$0.count) }
        let queries = Naive.rotate(
            linear(x, prefix + "q_proj", from: C), positions: positions, headCount: H, headSize: K,
            frequencies: frequencies)
        let keys = Naive.rotate(
            linear(x, prefix + "k_proj", from: C), positions: positions, headCount: G, headSize: K,
            frequencies: frequencies)
        let values = linear(x, prefix + "v_proj", from: C)
        let attended = batch.sequences.flatMap { rows in
            Naive.groupedAttention(
                queries: Array(queries[rows.lowerBound * H * K..<rows.upperBound * H * K]),
                keys: Array(keys[rows.lowerBound * G * K..<rows.upperBound * G * K]),
                values: Array(values[rows.lowerBound * G * K..<rows.upperBound * G * K]),
                length: rows.count, headCount: H, keyValueHeadCount: G, headSize: K)
        }
        return linear(attended, prefix + "o_proj", from: H * K)
    }

    /// The frequencies, scaled by wave length as Llama 3 has it.
    private var frequencies: [Double] {
        let plain = Naive.rotaryFrequencies(
            headSize: configuration.headSize, theta: configuration.rotary.theta)
        guard
            case .llama3(let factor, let low, let high, let positions) =
                configuration.rotary.scaling
        else { return plain }
        return plain.map { f -> Double in
            let waveLength = 2 * Double.pi / f
            if waveLength > Double(positions) / low { return f / factor }
            if waveLength < Double(positions) / high { return f }
            let share = (Double(positions) / waveLength - low) / (high - low)
            return (1 - share) * f / factor + share * f
        }
    }

    private func tensor(_ name: String) -> [Double] { parameters[name] ?? [] }

    private func sum(_ a: [Double], _ b: [Double]) -> [Double] { zip(a, b).map { $0 + $1 } }

    private func normalize(_ x: [Double], _ name: String) -> [Double] {
        Naive.rmsNorm(
            x, weight: tensor(name + ".weight"), epsilon: Double(configuration.rmsNormEpsilon))
    }

    private func linear(_ x: [Double], _ name: String, from: Int) -> [Double] {
        let weight = tensor(name + ".weight")
        let to = weight.count / from
        let product = Naive.matrixProduct(
            x, weight, rows: x.count / from, columns: to, inner: from, transposeB: true)
        guard let bias = parameters[name + ".bias"] else { return product }
        return product.indices.map { product[$0] + bias[$0 % to] }
    }
}

/// Sequences of tokens one after another, as plain arrays.
struct LlamaBatch: Sendable {
    /// `[R]`.
    var tokens, targets: [Int32]
    /// `[R]`.
    var weights: [Float]
    /// The rows of each sequence.
    let sequences: [Range<Int>]

    /// Random tokens and targets; three of four rows carry loss, as a mean.
    init(_ configuration: LlamaConfiguration, lengths: [Int], seed: UInt64) {
        var generator = TestGenerator(seed: seed)
        let rows = lengths.reduce(0, +)
        let V = Int32(configuration.vocabularySize)
        tokens = (0..<rows).map { _ in Int32.random(in: 0..<V, using: &generator) }
        targets = (0..<rows).map { _ in Int32.random(in: 0..<V, using: &generator) }
        weights = (0..<rows).map { $0 % 4 == 3 ? 0 : 4 / Float(3 * rows) }
        var sequences: [Range<Int>] = []
        for length in lengths {
            let start = sequences.last?.upperBound ?? 0
            sequences.append(start..<start + length)
        }
        self.sequences = sequences
    }

    private init(_ batch: LlamaBatch, rows: Range<Int>) {
        tokens = Array(batch.tokens[rows])
        targets = Array(batch.targets[rows])
        weights = Array(batch.weights[rows])
        sequences = [0..<rows.count]
    }

    /// Each sequence as a batch of its own.
    var alone: [LlamaBatch] { sequences.map { LlamaBatch(self, rows: $0) } }
}

/// Loss, gradients and logits of a batch in a fresh workspace.
struct LlamaRun {
    /// `Σ w ℓ`.
    let loss: Double
    /// ℓ: `[R]`.
    let losses: [Float]
    /// `[R, V]`.
    let logits: [Float]
    let gradients: FloatView

    init(
        _ configuration: LlamaConfiguration, _ weights: LlamaWeights, _ batch: LlamaBatch,
        workers: Int = 1
    ) {
        let decoder = LlamaDecoder(configuration)
        let rows = batch.tokens.count
        let workspace = LlamaWorkspace(
            configuration, rows: rows, longest: batch.sequences.map(\.count).max() ?? 0,
            forTraining: true, workers: workers)
        let targets = IndexView(batch.targets)
        gradients = FloatView(zeros: configuration.layout.count)
        loss = decoder.lossAndGradients(
            weights: weights, gradients: configuration.gradients(in: gradients),
            workspace: workspace, tokens: IndexView(batch.tokens), sequences: batch.sequences,
            targets: targets, lossWeights: FloatView(batch.weights))
        let numbers = FloatView(zeros: rows * configuration.vocabularySize)
        decoder.logits(numbers, weights: weights, workspace: workspace, rows: 0..<rows)
        logits = numbers.array
        losses = decoder.losses(weights: weights, workspace: workspace, targets: targets).array
    }
}

extension LlamaConfiguration {
    /// Parameters large enough that no part of a gradient is lost in rounding, normalisations off their start.
    func randomParameters(seed: UInt64) -> FloatView {
        var generator = TestGenerator(seed: seed)
        let flat = FloatView(zeros: layout.count)
        for entry in layout.entries {
            let isGain = entry.name.contains("norm")
            flat[entry.range].copy(
                from: generator.normals(entry.count, scale: 0.3).map { isGain ? 1 + $0 : $0 })
        }
        return flat
    }
}
