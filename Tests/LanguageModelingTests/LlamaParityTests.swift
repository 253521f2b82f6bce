import Foundation
import Kernels
import LanguageModeling
import TensorStorage
import TestSupport
import Testing
import Transformer

/// Llama models against Hugging Face's LlamaForCausalLM, on folders that it wrote itself.
@Suite struct LlamaParityTests {
    static let names = [
        "plain", "older", "tied-grouped", "one-key-head", "wide-heads", "biases", "llama3",
        "llama3-older", "theta", "half", "bfloat-sharded", "single",
    ]

    /// Relative to the largest number of a tensor. Both sides compute in single precision; what was used of it is printed.
    static let tolerance = 2e-4

    @Test(arguments: names) func logitsLossAndGradientsAgree(_ name: String) throws {
        let folder = Fixture.path("llama/\(name)")
        let model = try ModelDirectory(path: folder)
        let configuration = model.configuration.llama
        let batch = try TokenBatch(path: "\(folder)/ids.json", for: configuration)
        let expected = try SafetensorsFile(path: "\(folder)/expected.safetensors")
        let (B, T, V) = (batch.sequences.count, batch.length, configuration.vocabularySize)
        let sequences = (0..<B).map { $0 * T..<($0 + 1) * T }
        let tokens = IndexView(batch.sequences.joined().map(Int32.init))
        let targets = IndexView(batch.sequences.flatMap { $0.dropFirst().map(Int32.init) + [0] })
        let weights = FloatView(
            (0..<B * T).map { $0 % T == T - 1 ? 0 : 1 / Float(B * (T - 1)) })
        let decoder = LlamaDecoder(configuration)
        let workspace = LlamaWorkspace(
            configuration, rows: B * T, longest: T, forTraining: true, workers: 2)
        let flat = FloatView(zeros: configuration.layout.count)
        let loss = decoder.lossAndGradients(
            weights: model.weights, gradients: configuration.gradients(in: flat),
            workspace: workspace, tokens: tokens, sequences: sequences, targets: targets,
            lossWeights: weights)
        let logits = FloatView(zeros: B * T * V)
        decoder.logits(logits, weights: model.weights, workspace: workspace, rows: 0..<B * T)

        var worst = (share: 0.0, name: "")
        func expect(_ name: String, _ found: [Double], _ shape: [Int]) throws {
            let wanted = try expected.floats(name, shape: shape).map(Double.init)
            // Where a row sees itself alone, gradients of queries and keys cancel: 0 there, rounding here.
            let close = closeness(
                found, wanted, relative: Self.tolerance, absolute: 1e-6, scale: .largest)
            #expect(close.isWithin, "\(name): \(close)")
            if close.shareOfAllowed > worst.share { worst = (close.shareOfAllowed, name) }
        }
        try expect("logits", logits.array.map(Double.init), [B, T, V])
        try expect("loss", [loss], [1])
        for tensor in configuration.layout.tensors(in: flat) {
            try expect("grad." + tensor.name, tensor.view.array.map(Double.init), tensor.shape)
        }
        print(
            "Llama, \(name): \(String(format: "%.1f", 100 * worst.share)) % of the allowed error at "
                + worst.name)
    }
}
