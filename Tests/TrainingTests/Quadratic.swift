import Experiments
import Foundation
import Kernels
import TensorStorage
import TestSupport
import Transformer

@testable import Training

/// A problem with loss and gradient by hand: `½ Σ (pᵢ − tᵢ(s))²`, the target swaying with the step s.
///
/// The swaying stands for fresh prompts: a resumed run that repeats or skips a step ends elsewhere.
struct Quadratic {
    static let layout = TensorLayout([
        (name: "_read_in.weight", shape: [3, 2]), (name: "_read_in.bias", shape: [3]),
    ])

    /// A gradient that a test spoils, and at which step (counted from 0).
    struct Spoiled {
        let step: Int
        let loss: Double
        let norm: Double
    }

    struct Crash: Error {}

    let target: [Float] = (0..<9).map { Float($0) / 4 - 1 }
    let sway: Float
    var crashStep: Int?
    var spoiled: Spoiled?
    private let gradients = FloatView(zeros: layout.count)

    init(sway: Float = 0, crashStep: Int? = nil, spoiled: Spoiled? = nil) {
        self.sway = sway
        self.crashStep = crashStep
        self.spoiled = spoiled
    }

    func freshState() -> TrainingState {
        TrainingState(layout: Self.layout, parameters: FloatView(zeros: Self.layout.count))
    }

    /// The elements of the two tensors, without the layout's gaps.
    func values(_ view: FloatView) -> [Float] {
        Self.layout.tensors(in: view).flatMap(\.view.array)
    }

    /// The target at a step; its element `index` sways with a phase of its own.
    func target(_ index: Int, step: Int) -> Float {
        target[index] + sway * sinf(Float(step) + Float(index))
    }

    func loss(_ values: [Float], step: Int) -> Double {
        values.indices.reduce(0) { sum, index in
            let difference = Double(values[index] - target(index, step: step))
            return sum + difference * difference / 2
        }
    }

    func loop(
        _ options: TrainingOptions, in directory: RunDirectory, state: TrainingState,
        lengths: [String: Int] = [:], progress: @escaping (Int, Double) -> Void = { _, _ in }
    ) throws -> TrainingLoop {
        TrainingLoop(
            options: options, directory: directory,
            records: try RunRecords(directory: directory, lengths: lengths),
            gradients: { step in
                if step == crashStep { throw Crash() }
                if let spoiled, spoiled.step == step { return (spoiled.loss, spoiled.norm) }
                let parameters = values(state.parameters)
                var index = 0
                var squares = 0.0
                for tensor in Self.layout.tensors(in: gradients) {
                    for place in 0..<tensor.view.count {
                        let slope = parameters[index] - target(index, step: step)
                        tensor.view[place] = slope
                        squares += Double(slope * slope)
                        index += 1
                    }
                }
                return (loss(parameters, step: step), squares.squareRoot())
            },
            update: { step in
                adamUpdate(
                    parameters: state.parameters, firstMoment: state.moments.first,
                    secondMoment: state.moments.second, gradients: gradients, step: step)
            },
            progress: progress)
    }
}

/// Options of a short run; a checkpoint after every step when `checkpointSeconds` is 0.
func options(
    steps: Int, rate: Double = 0.05, logEvery: Int = 10, checkpointSeconds: Double = .infinity,
    decay: LearningRateSchedule.Decay = .cosine, clipNorm: Double? = nil
) -> TrainingOptions {
    TrainingOptions(
        steps: steps,
        schedule: LearningRateSchedule(
            decay: decay, peak: rate, warmupSteps: 3, totalSteps: steps),
        adam: AdamOptions(clipNorm: clipNorm), logEvery: logEvery,
        checkpointSeconds: checkpointSeconds)
}

/// A run's folder inside `folder`, made.
func runDirectory(_ folder: TemporaryDirectory, _ name: String = "run") throws -> RunDirectory {
    let directory = RunDirectory(path: folder.file(name))
    try directory.create()
    return directory
}
