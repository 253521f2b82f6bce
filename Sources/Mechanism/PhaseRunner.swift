import Experiments
import InContextRegression
import Kernels
import Platform
import Training
import Transformer

/// One phase of training, pretraining or fine-tuning, in its run directory: starts, resumes and checkpoints.
struct PhaseRunner {
    let directory: RunDirectory
    let decoder: Decoder
    let phase: PhaseConfiguration
    let recording: RecordingConfiguration
    let curriculum: Curriculum
    let functionClass: any FunctionClass
    let layout: PromptLayout
    let seed: UInt64
    /// What the prompts of a step are for.
    let purpose: @Sendable (_ step: Int) -> PromptPhase
    let workers: Int
    /// Where the prompts' positions start.
    var positionOffset = PositionOffset.zero
    /// Parameters at step 0.
    let initialParameters: () throws -> FloatView
    /// Told of every step: steps done and the loss.
    let progress: (_ step: Int, _ loss: Double) -> Void

    /// Trains to the end, from the last checkpoint where there is one.
    ///
    /// - Parameter records: the run's record files, cut back to that checkpoint.
    func run(_ records: RunRecords) throws -> TrainingOutcome {
        var state = TrainingState(layout: decoder.layout, parameters: try initialParameters())
        if let step = try directory.latestCheckpointStep() {
            _ = try Checkpoint.read(into: &state, from: directory.checkpointPath(step: step))
        }
        let source = PromptSource(
            functionClass, layout: layout, seed: seed,
            dims: decoder.configuration.inputDimension, batchSize: phase.batchSize,
            points: curriculum.points.values, workers: workers,
            offsetPositions: positionOffset == .random
                ? decoder.configuration.positionCount : nil)
        let model = ParallelDecoder(
            decoder, workers: workers,
            batches: curriculum.points.values.map(source.shape(points:)),
            precision: phase.precision, forTraining: true)
        let weights = decoder.weights(in: state.parameters)
        let parameters = state.parameters
        let moments = state.moments
        let loop = TrainingLoop(
            options: phase.trainingOptions(recording: recording, workers: workers),
            directory: directory, records: records,
            gradients: { step in
                let points = curriculum.points.value(atStep: step)
                return model.lossAndGradients(
                    weights: weights, batch: source.shape(points: points),
                    filling: source.batch(
                        purpose(step), points: points,
                        activeDims: curriculum.dims.value(atStep: step)))
            },
            update: { model.adamStep(parameters: parameters, moments: moments, step: $0) },
            progress: progress)
        return try loop.run(&state)
    }
}

extension CurriculumSchedule {
    /// Every value the schedule goes through, in order.
    var values: [Int] {
        var values = [start]
        while inc > 0, let last = values.last, last < end { values.append(min(last + inc, end)) }
        return values
    }
}
