import Foundation
import Kernels
import TensorStorage
import TestSupport
import Testing
import Transformer

@testable import FineTuning

/// Losses, gradients' lengths and parameters of two updates, as PyTorch has them.
private struct Expected: Decodable {
    let losses: [Double]
    let gradientNorms: [Double]
}

/// Updates of all parameters and of adapters against PyTorch and PEFT.
@Suite struct UpdateParityTests {
    private struct Variants: Decodable { let variants: [String: Expected] }

    @Test(arguments: [("decay-all", "all"), ("decay-matrices", "matrices")])
    func twoUpdatesOfAllParametersEqualPyTorchs(name: String, decay: String) throws {
        let all = try Fixture.json("text-training/full/expected.json", as: Variants.self)
        let expected = try #require(all.variants[name])
        for workers in [1, 2] {
            let tuning = try TuningCase(
                TuningFixture.model(), ["training.decay=\(decay)"], workers: workers)
            try check(tuning, expected, folder: "full/\(name)", file: { "step\($0).safetensors" })
        }
    }

    @Test(arguments: [
        ("query-value", "[q_proj, v_proj]"),
        ("all-linear", "[q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj]"),
    ])
    func twoUpdatesOfAdaptersEqualPEFTs(name: String, targets: String) throws {
        let model = try TuningFixture.model()
        let folder = "text-training/lora/\(name)"
        let adapter = try AdapterDirectory(path: Fixture.path("\(folder)/initial"), base: model)
        #expect(adapter.configuration.rank == 4 && adapter.configuration.scale == 2)
        let expected = try Fixture.json("\(folder)/expected.json", as: Expected.self)
        for checkpointing in [false, true] {
            let tuning = try TuningCase(
                model,
                [
                    "training.method=lora", "training.lora.rank=4", "training.lora.alpha=8",
                    "training.lora.target_modules=\(targets)",
                    "training.activation_checkpointing=\(checkpointing)",
                ], adapter: adapter)
            try check(
                tuning, expected, folder: "lora/\(name)",
                file: { "step\($0)/adapter_model.safetensors" })
        }
    }

    private func check(
        _ tuning: TuningCase, _ expected: Expected, folder: String, file: (Int) -> String
    ) throws {
        let bins = try TuningFixture.bins()
        for number in [1, 2] {
            let (loss, norm) = tuning.tuner.gradients(bins, step: number - 1)
            let numbers = closeness(
                [loss, norm], [expected.losses[number - 1], expected.gradientNorms[number - 1]],
                relative: 2e-6)
            #expect(numbers.isWithin, "\(folder), update \(number): \(numbers)")
            tuning.tuner.update(
                TuningFixture.step(number, norm: norm, tuning.configuration))
            let close = try tuning.closeness(to: "\(folder)/\(file(number))")
            print("\(folder), update \(number): loss and norm \(numbers); parameters \(close)")
            #expect(close.isWithin, "\(folder), update \(number): \(close)")
        }
        let last = closeness([tuning.tuner.meanLoss(bins)], [expected.losses[2]], relative: 2e-6)
        #expect(last.isWithin, "\(folder): \(last)")
    }

    /// Rounding operands to bf16 moves a gradient by some 2⁻⁹ of its terms, and neither by nothing nor by more.
    @Test(arguments: ["full", "lora"])
    func updatesInBF16StayNearThoseInFP32(method: String) throws {
        let bins = try TuningFixture.bins()
        func gradients(_ precision: String) throws -> (loss: Double, gradients: [Float]) {
            let tuning = try TuningCase(
                TuningFixture.model(),
                ["training.method=\(method)", "training.precision=\(precision)"], workers: 2)
            let (loss, _) = tuning.tuner.gradients(bins, step: 0)
            return (loss, tuning.tuner.gradients.array)
        }
        let (exact, rounded) = (try gradients("fp32"), try gradients("bf16"))
        #expect(exact.loss != rounded.loss)
        #expect(closeness([rounded.loss], [exact.loss], relative: 0.01).isWithin)
        let difference = zip(exact.gradients, rounded.gradients).reduce(0.0) {
            $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1))
        }
        let length = exact.gradients.reduce(0.0) { $0 + Double($1 * $1) }
        let share = (difference / length).squareRoot()
        print("\(method): bf16 moves the gradient by \(share) of its length")
        #expect(share > 1e-4 && share < 0.05)
    }

    /// Adapters that are not zero, dropout, any workers, activations computed twice: the same bits in bf16 too; held-out losses
    /// are fp32's.
    @Test(arguments: ["full", "lora"])
    func bf16DependsNeitherOnWorkersNorOnCheckpointing(method: String) throws {
        let bins = try TuningFixture.bins()
        let model = try TuningFixture.model()
        let adapter = try AdapterDirectory(
            path: Fixture.path("text-training/lora/all-linear/step2"), base: model)
        func tuning(_ precision: String, _ workers: Int, _ checkpointing: Bool) throws
            -> TuningCase
        {
            try TuningCase(
                model,
                [
                    "training.method=\(method)", "training.precision=\(precision)",
                    "training.lora.rank=4", "training.lora.alpha=8", "training.lora.dropout=0.2",
                    "training.lora.target_modules=[q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj]",
                    "training.activation_checkpointing=\(checkpointing)",
                ], adapter: method == "lora" ? adapter : nil, workers: workers)
        }
        let first = try tuning("bf16", 1, false)
        let loss = first.tuner.gradients(bins, step: 3).loss
        for (workers, checkpointing) in [(1, true), (2, false), (3, true)] {
            let other = try tuning("bf16", workers, checkpointing)
            #expect(other.tuner.gradients(bins, step: 3).loss == loss)
            #expect(
                firstDifference(
                    other.tuner.gradients.array, first.tuner.gradients.array) == nil,
                "\(workers) workers, \(checkpointing)")
        }
        let exact = try tuning("fp32", 1, false)
        #expect(exact.tuner.gradients(bins, step: 3).loss != loss)
        #expect(first.tuner.meanLoss(bins) == exact.tuner.meanLoss(bins))
    }

    /// A rank above all widths of the model is odd, not wrong.
    @Test(arguments: ["fp32", "bf16"])
    func aRankBeyondTheWidthsWorks(precision: String) throws {
        let tuning = try TuningCase(
            TuningFixture.model(),
            [
                "training.method=lora", "training.lora.rank=300",
                "training.precision=\(precision)",
            ], workers: 2)
        let (loss, norm) = tuning.tuner.gradients(try TuningFixture.bins(), step: 0)
        #expect(loss.isFinite && norm.isFinite && norm > 0)
    }

    /// formats.md, section 8: a batch is its micro-batches, on ragged lengths and uneven weights.
    @Test func aBatchIsItsAccumulatedMicroBatches() throws {
        let bins = try TuningFixture.bins()
        let whole = try TuningCase(
            TuningFixture.model(), ["training.micro_batch_size=3"])
        let expected = whole.tuner.gradients(bins, step: 0)
        whole.tuner.update(TuningFixture.step(1, norm: expected.gradientNorm, whole.configuration))
        for size in [1, 2] {
            let parts = try TuningCase(
                TuningFixture.model(), ["training.micro_batch_size=\(size)"])
            let found = parts.tuner.gradients(bins, step: 0)
            let numbers = closeness(
                [found.loss, found.gradientNorm], [expected.loss, expected.gradientNorm],
                relative: 1e-6)
            #expect(numbers.isWithin, "\(size) at a time: \(numbers)")
            parts.tuner.update(TuningFixture.step(1, norm: found.gradientNorm, parts.configuration))
            let close = closeness(
                parts.state.parameters.array, whole.state.parameters.array, relative: 0,
                absolute: 1e-6)
            #expect(close.isWithin, "\(size) at a time: \(close)")
        }
    }

    /// Packed sequences do not see each other and their positions restart: the same loss and the same update.
    @Test func packedSequencesAreTheSameAsSequencesAlone() throws {
        let bins = try TuningFixture.bins()
        let packed = [Bin(examples: bins.flatMap(\.examples))]
        let alone = try TuningCase(TuningFixture.model(), ["training.micro_batch_size=1"])
        let together = try TuningCase(TuningFixture.model(), ["training.micro_batch_size=1"])
        let (one, other) = (
            alone.tuner.gradients(bins, step: 0), together.tuner.gradients(packed, step: 0)
        )
        let numbers = closeness(
            [other.loss, other.gradientNorm], [one.loss, one.gradientNorm], relative: 1e-6)
        #expect(numbers.isWithin, "\(numbers)")
        #expect(
            closeness(
                [together.tuner.meanLoss(packed)], [alone.tuner.meanLoss(bins)], relative: 1e-6
            ).isWithin)
    }
}

/// `text merge` against PEFT's `merge_and_unload`.
@Suite struct AdapterMergeTests {
    @Test(arguments: ["query-value", "all-linear"])
    func mergedWeightsEqualPEFTs(name: String) throws {
        let folder = try TemporaryDirectory()
        let base = try TuningFixture.model()
        let adapter = try AdapterDirectory(
            path: Fixture.path("text-training/lora/\(name)/step2"), base: base)
        let path = "\(folder.path)/merged"
        try AdapterMerge(base: base, adapter: adapter).write(
            to: path, pool: WorkerPool(workers: 2))
        let merged = try SafetensorsFile(path: "\(path)/model.safetensors")
        let expected = try Fixture.tensors("text-training/lora/\(name)/merged/model.safetensors")
        #expect(merged.tensors.count == expected.tensors.count)
        for tensor in expected.tensors {
            let close = closeness(
                try merged.floats(tensor.name), try expected.floats(tensor.name), relative: 0,
                absolute: 3e-7)
            #expect(close.isWithin, "\(tensor.name): \(close)")
        }
    }

    /// What is written is what is read, to the bit, and PEFT's keys are there.
    @Test func adaptersComeBackAsTheyWereWritten() throws {
        let folder = try TemporaryDirectory()
        let base = try TuningFixture.model()
        let adapter = try AdapterDirectory(
            path: Fixture.path("text-training/lora/all-linear/step1"), base: base)
        try AdapterDirectory.write(
            adapter.parameters, adapter.configuration, base: base,
            fingerprint: base.fingerprint(), into: folder.path)
        let again = try AdapterDirectory(path: folder.path, base: base)
        #expect(again.configuration == adapter.configuration)
        #expect(firstDifference(again.parameters.array, adapter.parameters.array) == nil)
    }

    @Test func adaptersOfAnotherBaseAreRefused() throws {
        let folder = try TemporaryDirectory()
        let (base, other) = (try TuningFixture.model(), try TuningFixture.model("dpo/policy"))
        let adapter = try AdapterDirectory(
            path: Fixture.path("text-training/lora/query-value/step1"), base: base)
        try AdapterDirectory.write(
            adapter.parameters, adapter.configuration, base: base,
            fingerprint: base.fingerprint(), into: folder.path)
        #expect {
            try AdapterDirectory(path: folder.path, base: other)
        } throws: { "\($0)".contains("another base") }
    }

    @Test(arguments: [
        (#""use_dora": false"#, #""use_dora": true"#, "use_dora"),
        (#""r": 4"#, #""r": 0"#, "r is 0"), (#""r": 4"#, #""r": 5"#, "another base"),
        (#""peft_type": "LORA""#, #""peft_type": "IA3""#, "peft_type"),
        (#""v_proj""#, #""z_proj""#, "target_modules"),
        (#""bias": "none""#, #""bias": "all""#, "bias"),
    ])
    func settingsThatAreNotSupportedAreNamed(old: String, new: String, sentence: String) throws {
        let folder = try TemporaryDirectory()
        let source = Fixture.path("text-training/lora/query-value/step1")
        for name in ["adapter_config.json", "adapter_model.safetensors"] {
            try FileManager.default.copyItem(
                atPath: "\(source)/\(name)", toPath: "\(folder.path)/\(name)")
        }
        let path = "\(folder.path)/adapter_config.json"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.contains(old))
        try text.replacing(old, with: new).write(toFile: path, atomically: true, encoding: .utf8)
        #expect {
            try AdapterDirectory(path: folder.path, base: TuningFixture.model())
        } throws: { "\($0)".contains(sentence) }
    }
}
