import Foundation
import Kernels
import TensorStorage
import TestSupport
import Testing
import Transformer

/// The engine against Hugging Face's GPT2Model inside the public wrapper, on the committed fixtures.
@Suite struct ParityTests {
    static let names = ["even", "odd", "second-half", "shifted", "one-head", "single", "long"]

    /// One fixture: sizes, parameters, batch and expected results.
    struct Parity {
        struct Sizes: Decodable {
            let n_dims, n_embd, n_layer, n_head, n_positions: Int
            let position_offset, batch, positions, targets: Int
        }

        let name: String
        let file: SafetensorsFile
        let sizes: Sizes
        let decoder: Decoder
        let batch: TestBatch

        init(_ name: String) throws {
            self.name = name
            file = try Fixture.tensors("parity/\(name).safetensors")
            sizes = try JSONDecoder().decode(
                Sizes.self, from: Data((file.metadata["case"] ?? "").utf8))
            let configuration = DecoderConfiguration(
                inputDimension: sizes.n_dims, positionCount: 2 * sizes.n_positions,
                embeddingDimension: sizes.n_embd, layerCount: sizes.n_layer,
                headCount: sizes.n_head)
            decoder = Decoder(configuration)
            batch = try Self.batch(file, sizes, configuration)
        }

        /// The mean squared error of the last n predictions, which are read at even positions.
        private static func batch(
            _ file: SafetensorsFile, _ sizes: Sizes, _ configuration: DecoderConfiguration
        ) throws -> TestBatch {
            let (B, T, n) = (sizes.batch, sizes.positions, sizes.targets)
            var batch = TestBatch(configuration, examples: B, length: T, seed: 0)
            batch.inputs = try file.floats("inputs", shape: [B, T, sizes.n_dims])
            batch.starts = [Int32](repeating: Int32(sizes.position_offset), count: B)
            batch.weights = [Float](repeating: 0, count: B * T)
            let targets = try file.floats("targets", shape: [B, n])
            let first = (T + 1) / 2 - n
            for example in 0..<B {
                for index in 0..<n {
                    let row = example * T + 2 * (first + index)
                    batch.targets[row] = targets[example * n + index]
                    batch.weights[row] = 1 / Float(B * n)
                }
            }
            return batch
        }

        func parameters() throws -> FloatView {
            let flat = FloatView(zeros: decoder.layout.count)
            for entry in decoder.layout.entries {
                flat[entry.range].copy(
                    from: try file.floats("param.\(entry.name)", shape: entry.shape))
            }
            return flat
        }
    }

    /// The largest share of the allowed error that each kind of number used, and where.
    struct Shares: CustomStringConvertible {
        private var worst: [String: (share: Double, place: String)] = [:]

        mutating func note(_ kind: String, _ place: String, _ close: Closeness) {
            if close.shareOfAllowed >= worst[kind]?.share ?? 0 {
                worst[kind] = (close.shareOfAllowed, place)
            }
        }

        var description: String {
            let parts = worst.sorted { $0.key < $1.key }.map {
                "\($0.key) \(String(format: "%.1f %%", 100 * $0.value.share)) (\($0.value.place))"
            }
            return "share of the allowed error used: " + parts.joined(separator: ", ")
        }
    }

    struct Manifest: Decodable {
        struct Tolerance: Decodable { let relative: Double }
        let tolerances: [String: Tolerance]
        let sha256: [String: String]
    }

    /// The tolerances stated, with their reasons, in Tests/Fixtures/manifest.json: relative to the largest element.
    private func tolerance(_ kind: String) throws -> Double {
        let manifest = try Fixture.json("manifest.json", as: Manifest.self)
        return try #require(manifest.tolerances[kind]).relative
    }

    @Test func everyCommittedCaseIsTested() throws {
        let manifest = try Fixture.json("manifest.json", as: Manifest.self)
        let files = manifest.sha256.keys.filter { $0.hasPrefix("parity/") }
        #expect(Set(files) == Set(Self.names.map { "parity/\($0).safetensors" }))
        for kind in ["predictions", "loss", "gradients", "losses"] {
            // What the engine promises its users.
            #expect(try tolerance(kind) <= 2e-4)
        }
    }

    @Test(arguments: names)
    func predictionsLossAndEveryGradientAgree(name: String) throws {
        let parity = try Parity(name)
        let found = SingleShard(parity.decoder, try parity.parameters(), parity.batch)
        var shares = Shares()
        func expect(_ label: String, _ actual: [Float], _ key: String, _ kind: String) throws {
            let close = closeness(
                actual, try parity.file.floats(key), relative: try tolerance(kind),
                scale: .largest)
            #expect(close.isWithin, "\(name), \(label): \(close)")
            shares.note(kind, label, close)
        }
        let T = parity.sizes.positions
        let even = found.predictions.array.enumerated().filter { $0.offset % T % 2 == 0 }
        try expect("predictions", even.map(\.element), "predictions", "predictions")
        try expect("loss", [Float(found.loss)], "loss", "loss")
        try expect("inputs", found.dInputs.array, "grad.inputs", "gradients")
        for tensor in parity.decoder.layout.tensors(in: found.gradients) {
            // A single position has a softmax of one: gradients of zero, compared exactly.
            try expect(
                tensor.name, tensor.view.array, "grad.\(tensor.name)", "gradients")
        }
        print("parity \(name): \(shares)")
    }

    @Test(arguments: names)
    func tenStepsOfAdamAndAdamWAgree(name: String) throws {
        let parity = try Parity(name)
        let plain = AdamOptions()
        let clipped = AdamOptions(weightDecay: 0.1, decoupledDecay: true, clipNorm: 1)
        for (label, options) in [("adam", plain), ("adamw", clipped)] {
            let (losses, norms, parameters) = try train(parity, options)
            var shares = Shares()
            func expect(_ what: String, _ found: [Double], _ key: String, _ kind: String) throws {
                let close = closeness(
                    found, try parity.file.floats(key).doubles, relative: try tolerance(kind),
                    scale: kind == "parameters" ? .largest : .element)
                #expect(close.isWithin, "\(name), \(label), \(what): \(close)")
                shares.note(kind, what, close)
            }
            try expect("losses", losses, "\(label)_losses", "losses")
            if options.clipNorm != nil {
                try expect("norms", norms, "\(label)_norms", "losses")
            }
            let trained = parity.file.tensors.map(\.name).filter { $0.hasPrefix("\(label).") }
            #expect(!trained.isEmpty)
            for key in trained {
                let tensor = String(key.dropFirst(label.count + 1))
                let view = parity.decoder.layout.view(tensor, in: parameters)
                try expect(tensor, view.doubles, key, "parameters")
            }
            print("parity \(name), \(label): \(shares)")
        }
    }

    private func train(
        _ parity: Parity, _ options: AdamOptions
    ) throws -> (losses: [Double], norms: [Double], parameters: FloatView) {
        let parallel = ParallelDecoder(
            parity.decoder, workers: 2, batches: [parity.batch.shape], forTraining: true)
        let parameters = try parity.parameters()
        let moments = AdamMoments(count: parameters.count)
        var losses: [Double] = []
        var norms: [Double] = []
        for number in 1...10 {
            let (loss, norm) = parallel.lossAndGradients(
                weights: parity.decoder.weights(in: parameters), batch: parity.batch.shape,
                filling: parity.batch)
            losses.append(loss)
            norms.append(norm)
            parallel.adamStep(
                parameters: parameters, moments: moments,
                step: AdamStep(
                    number: number, learningRate: 1e-3, beta1: options.beta1, beta2: options.beta2,
                    epsilon: options.epsilon, weightDecay: options.weightDecay,
                    decoupled: options.decoupledDecay,
                    gradientScale: options.clipScale(gradientNorm: norm)))
        }
        return (losses, norms, parameters)
    }
}
