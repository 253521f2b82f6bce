import Kernels
import TensorStorage
import TestSupport
import Testing

@testable import Transformer

/// A model with adapters at every map, or at some, and its gradients.
private struct AdaptedModel {
    let llama: LlamaConfiguration
    let configuration: LoRAConfiguration
    let parameters: FloatView
    let flat: FloatView
    var batch: LlamaBatch

    init(
        targets: Set<LlamaProjection> = Set(LlamaProjection.allCases), dropout: Double = 0,
        large: Bool = false
    ) {
        // No width is a multiple of sixteen, groups share keys, and H·K is not C; or large enough for several workers.
        llama =
            large
            ? LlamaConfiguration(
                vocabularySize: 100, hiddenSize: 64, intermediateSize: 176, layerCount: 3,
                headCount: 4, keyValueHeadCount: 2, positionCount: 64)
            : LlamaConfiguration(
                vocabularySize: 37, hiddenSize: 24, intermediateSize: 42, layerCount: 3,
                headCount: 4, keyValueHeadCount: 2, headSize: 8, positionCount: 64,
                attentionBias: true, feedForwardBias: true)
        configuration = LoRAConfiguration(rank: 3, alpha: 5, dropout: dropout, targets: targets)
        parameters = llama.randomParameters(seed: 1)
        flat = FloatView(zeros: TensorLayout(configuration.tensors(llama)).count)
        var generator = TestGenerator(seed: 2)
        for entry in TensorLayout(configuration.tensors(llama)).entries {
            flat[entry.range].copy(from: generator.normals(entry.count, scale: 0.2))
        }
        batch = LlamaBatch(llama, lengths: large ? [50, 5, 15] : [7, 1, 11], seed: 3)
    }

    /// The weights with the adapters merged in.
    var merged: FloatView {
        let merged = FloatView(parameters.array)
        let lora = LlamaLoRA(configuration, llama, in: flat)
        for (layer, factors) in lora.layers.enumerated() {
            for (projection, factor) in factors {
                let name = "model.layers.\(layer).\(projection.path).weight"
                let weight = llama.layout.view(name, in: merged)
                // In two pieces that part a row.
                let middle = weight.count / 2 + 3
                for range in [0..<middle, middle..<weight.count] {
                    lora.addProduct(of: factor, range, to: weight[range])
                }
            }
        }
        return merged
    }

    struct Pass {
        let loss: Double
        /// Of the adapters.
        let gradients: FloatView
        /// Of everything else, where asked for.
        let all: FloatView?
        let losses: [Float]
    }

    func run(
        dropout: LoRADropout? = nil, workers: Int = 1, recomputes: Bool = false, all: Bool = false
    ) -> Pass {
        let workspace = LlamaWorkspace(
            llama, rows: batch.tokens.count, longest: batch.sequences.map(\.count).max() ?? 0,
            forTraining: true, workers: workers, recomputes: recomputes, lora: configuration)
        let gradients = FloatView(zeros: flat.count)
        let others = FloatView(zeros: all ? llama.layout.count : 0)
        let loss = LlamaDecoder(llama).lossAndGradients(
            weights: llama.weights(in: parameters),
            gradients: all ? llama.gradients(in: others) : nil,
            adapters: LoRATraining(
                parameters: LlamaLoRA(configuration, llama, in: flat),
                gradients: LlamaLoRA(configuration, llama, in: gradients), dropout: dropout),
            workspace: workspace, tokens: IndexView(batch.tokens), sequences: batch.sequences,
            targets: IndexView(batch.targets), lossWeights: FloatView(batch.weights))
        // Of all rows: those without loss are left out above.
        let losses = LlamaDecoder(llama).losses(
            weights: llama.weights(in: parameters), workspace: workspace,
            targets: IndexView(batch.targets))
        return Pass(
            loss: loss, gradients: gradients, all: all ? others : nil, losses: losses.array)
    }
}

/// Low-rank adapters and activation checkpointing of a Llama model.
@Suite struct LlamaLoRATests {
    /// `W x + s B A x = (W + s B A) x`.
    @Test func adaptersAreWhatMergingMakesOfThem() {
        for targets in [Set(LlamaProjection.allCases), [.query, .value], [.down]] {
            let model = AdaptedModel(targets: targets)
            let merged = LlamaRun(
                model.llama, model.llama.weights(in: model.merged), model.batch)
            let plain = LlamaRun(
                model.llama, model.llama.weights(in: model.parameters), model.batch)
            let found = model.run()
            // The same products in another order: a few hundred roundings of 6e-8.
            let close = closeness(
                found.losses.map(Double.init), merged.losses.map(Double.init), relative: 2e-5,
                scale: .largest)
            #expect(close.isWithin, "\(targets): \(close)")
            #expect(abs(plain.loss - merged.loss) > 1e-3, "the adapters change nothing")
        }
    }

    /// By the chain rule through `W + s B A`: `dA = s Bᵀ dW` and `dB = s dW Aᵀ` with the merged model's own gradient dW.
    @Test func gradientsOfTheFactorsFollowFromTheMergedModels() {
        for targets in [Set(LlamaProjection.allCases), [.query, .value], [.down]] {
            let model = AdaptedModel(targets: targets)
            let llama = model.llama
            let merged = LlamaRun(llama, llama.weights(in: model.merged), model.batch)
            let found = model.run()
            let layout = TensorLayout(model.configuration.tensors(llama))
            let rank = model.configuration.rank
            for layer in 0..<llama.layerCount {
                for projection in targets {
                    let (from, to) = projection.widths(llama)
                    let weight = llama.layout.view(
                        "model.layers.\(layer).\(projection.path).weight", in: merged.gradients
                    ).doubles
                    func tensor(_ factor: String, _ flat: FloatView) -> [Double] {
                        layout.view(
                            LoRAConfiguration.name(layer, projection, factor), in: flat
                        ).doubles
                    }
                    let (a, b) = (tensor("A", model.flat), tensor("B", model.flat))
                    let scale = model.configuration.scale
                    var dA = [Double](repeating: 0, count: rank * from)
                    var dB = [Double](repeating: 0, count: to * rank)
                    for row in 0..<to {
                        for column in 0..<from {
                            let slope = scale * weight[row * from + column]
                            for index in 0..<rank {
                                dA[index * from + column] += b[row * rank + index] * slope
                                dB[row * rank + index] += a[index * from + column] * slope
                            }
                        }
                    }
                    for (factor, expected) in [("A", dA), ("B", dB)] {
                        let close = closeness(
                            tensor(factor, found.gradients), expected, relative: 5e-5,
                            scale: .largest)
                        #expect(close.isWithin, "\(layer) \(projection) \(factor): \(close)")
                    }
                }
            }
        }
    }

    /// With some of the inputs left out, against differences of the loss under the same numbers.
    @Test func gradientsUnderDropoutAgreeWithDifferences() {
        let model = AdaptedModel(dropout: 0.3)
        let dropout = LoRADropout(seed: 4, step: 5, pass: 1)
        let gradient = model.run(dropout: dropout).gradients.array
        // The factors are small and multiply each other: of steps from 2e-3 to 2.5e-4 the error fell with their fourth power.
        let check = checkGradient(at: model.flat, gradient: gradient, step: 5e-4) {
            model.run(dropout: dropout).loss
        }
        #expect(check.isWithin, "\(check)")
        #expect(model.run(dropout: nil).loss != model.run(dropout: dropout).loss)
        let other = LoRADropout(seed: 4, step: 5, pass: 2)
        #expect(model.run(dropout: other).loss != model.run(dropout: dropout).loss)
    }

    @Test func recomputingGivesTheSameBits() {
        for dropout in [nil, LoRADropout(seed: 6, step: 7, pass: 0)] {
            let model = AdaptedModel(dropout: dropout == nil ? 0 : 0.3)
            let kept = model.run(dropout: dropout, all: true)
            let again = model.run(dropout: dropout, recomputes: true, all: true)
            #expect(kept.loss == again.loss)
            #expect(firstDifference(kept.gradients.array, again.gradients.array) == nil)
            #expect(firstDifference(kept.all?.array ?? [], again.all?.array ?? []) == nil)
        }
    }

    @Test func frozenParametersLeaveTheAdaptersTheSameGradients() {
        let model = AdaptedModel()
        let frozen = model.run()
        let whole = model.run(all: true)
        #expect(frozen.loss == whole.loss)
        #expect(firstDifference(frozen.gradients.array, whole.gradients.array) == nil)
    }

    @Test func resultsAreTheSameBitsForAnyNumberOfWorkers() {
        let model = AdaptedModel(dropout: 0.2, large: true)
        let dropout = LoRADropout(seed: 8, step: 9, pass: 0)
        let one = model.run(dropout: dropout, recomputes: true)
        for workers in [2, 3] {
            let found = model.run(dropout: dropout, workers: workers, recomputes: true)
            #expect(found.loss == one.loss, "\(workers) workers")
            let difference = firstDifference(found.gradients.array, one.gradients.array)
            #expect(difference == nil, "\(workers) workers: \(difference ?? "")")
        }
    }

    /// Names as PEFT's files have them.
    @Test func tensorsAreNamedAsInPEFT() {
        let tensors = LoRAConfiguration(rank: 3).tensors(AdaptedModel().llama)
        #expect(tensors.count == 3 * 2 * 2)
        #expect(
            tensors[1].name == "base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight")
        #expect(tensors[1].shape == [32, 3])
        #expect(
            tensors[2].name == "base_model.model.model.layers.0.self_attn.v_proj.lora_A.weight")
        #expect(tensors[2].shape == [3, 24])
    }
}
