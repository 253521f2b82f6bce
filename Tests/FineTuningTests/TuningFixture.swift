import Experiments
import Foundation
import Kernels
import LanguageModeling
import Objectives
import TensorStorage
import TestSupport
import Training
import Transformer

@testable import FineTuning

/// What PyTorch, PEFT and TRL computed on small models: `Tests/Fixtures/make_text_training.py` says how.
enum TuningFixture {
    static let folder = "text-training"

    /// A sequence as the fixtures have it.
    struct Sequence: Decodable {
        let tokens: [Int32]
        let lossWeights: [Float]

        var example: TrainingExample {
            TrainingExample(tokens: tokens, lossWeights: lossWeights, place: "a fixture")
        }
    }

    static func model(_ name: String = "base") throws -> ModelDirectory {
        try ModelDirectory(path: Fixture.path("\(folder)/\(name)"))
    }

    /// One bin for each sequence: 9, 12 and 16 tokens.
    static func bins() throws -> [Bin] {
        try Fixture.json("\(folder)/sequences.json", as: [Sequence].self).map {
            Bin(examples: [$0.example])
        }
    }

    /// A run's configuration with the fixtures' optimizer.
    static func configuration(_ changes: [String] = []) throws -> FineTuningConfiguration {
        let text = """
            model: {path: base}
            corpus: {path: corpus.jsonl}
            objective: {name: cpt}
            training:
              epochs: 1
              batch_size: 3
              micro_batch_size: 2
              optimizer:
                {name: adamw, learning_rate: 1.0e-3, betas: [0.9, 0.95], epsilon: 1.0e-5, weight_decay: 0.1, clip_norm: 1}
            """
        let file = try SweepFile.load(
            yaml: text, path: "fixture.yaml", sections: FineTuningConfiguration.sections,
            overrides: changes)
        let evaluation = try TextEvaluationConfiguration(of: file)
        return try FineTuningConfiguration(
            file.trials()[0].configuration, evaluation: evaluation, seed: 0)
    }

    /// The fixtures' names of the optimizer's step `number`.
    static func step(
        _ number: Int, norm: Double, _ configuration: FineTuningConfiguration
    ) -> AdamStep {
        let adam = configuration.training.optimizer.adamOptions
        return AdamStep(
            number: number, learningRate: configuration.training.optimizer.learningRate,
            beta1: adam.beta1, beta2: adam.beta2, epsilon: adam.epsilon,
            weightDecay: adam.weightDecay, decoupled: adam.decoupledDecay,
            gradientScale: adam.clipScale(gradientNorm: norm))
    }
}

/// A tuner with its state, from a fixture's model.
struct TuningCase {
    let configuration: FineTuningConfiguration
    let state: TrainingState
    let tuner: FineTuner

    /// - Parameters:
    ///   - model: the fixture.
    ///   - changes: `key=value` over the fixtures' configuration.
    ///   - adapter: the adapters to start from.
    init(
        _ model: ModelDirectory, _ changes: [String] = [], adapter: AdapterDirectory? = nil,
        workers: Int = 1
    ) throws {
        configuration = try TuningFixture.configuration(changes)
        let lora = configuration.training.lora?.configuration
        let start = try FineTuner.Trainables(model, lora, seed: 0)
        if let adapter { start.parameters.copy(from: adapter.parameters) }
        state = TrainingState(layout: start.layout, parameters: start.parameters)
        tuner = FineTuner(
            model, configuration.tunerOptions, state: state, binRows: 40, longest: 20,
            pool: WorkerPool(workers: workers))
    }

    /// How near the parameters are to those of a file of the fixtures.
    func closeness(to file: String) throws -> Closeness {
        try TuningFixture.closeness(state.parameters, state.layout, to: file)
    }
}

extension TuningFixture {
    /// Compares `flat` with all tensors of a file: 3e-6 is four times what rounding alone changes (manifest.json), and a third
    /// of what the smallest mistake in the optimizer would.
    static func closeness(
        _ flat: FloatView, _ layout: TensorLayout, to file: String
    ) throws -> Closeness {
        let tensors = try Fixture.tensors("\(folder)/\(file)")
        let expected = try layout.entries.flatMap { try tensors.floats($0.name) }
        let found = layout.entries.flatMap { flat[$0.range].array }
        return TestSupport.closeness(found, expected, relative: 0, absolute: 3e-6)
    }
}
