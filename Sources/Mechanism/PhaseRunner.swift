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
    let source: PromptSource
    /// What the prompts of a step are for.
    let purpose: @Sendable (_ step: Int) -> PromptPhase
    let workers: Int
    /// Parameters at step 0.
    let initialParameters: () throws -> FloatView
    /// Told of every step: steps done and the loss.
    let progress: (_ step: Int, _ loss: Double) -> Void
    /// Told of anything worth a line in the log.
    let notice: (String) -> Void

    /// Trains to the end, from the last checkpoint where there is one.
    func run() throws -> TrainingOutcome {
        var state = TrainingState(layout: decoder.layout, parameters: try initialParameters())
        try resume(&state)
        let model = ParallelDecoder(
            decoder, workers: workers, batches: batches(), forTraining: true)
        let weights = decoder.weights(in: state.parameters)
        let parameters = state.parameters
        let moments = state.moments
        let loop = TrainingLoop(
            options: phase.trainingOptions(recording: recording), directory: directory,
            gradients: { step in
                let points = curriculum.points.value(atStep: step)
                return model.lossAndGradients(
                    weights: weights,
                    batch: source.batch(examples: phase.batchSize, points: points),
                    fill: source.fill(
                        purpose(step), batchSize: phase.batchSize, points: points,
                        activeDims: curriculum.dims.value(atStep: step)))
            },
            update: { model.adamStep(parameters: parameters, moments: moments, step: $0) },
            progress: progress)
        return try loop.run(&state)
    }

    private func resume(_ state: inout TrainingState) throws {
        guard let folder = directory.latestCheckpoint else {
            try directory.discardRecords()
            return
        }
        let record = try Checkpoint.read(into: &state, from: folder)
        try directory.cutRecords(
            metricsBytes: record.metricsBytes, evaluationsBytes: record.evaluationsBytes)
        if record.blasKernel != BLAS.kernelName {
            notice(
                "\(directory.path) was trained with the BLAS kernel \(record.blasKernel) and continues with "
                    + "\(BLAS.kernelName): the result will not be bit-identical to an undisturbed run")
        }
    }

    /// Every batch shape the curriculum goes through.
    private func batches() -> [BatchShape] {
        let ramp = curriculum.points
        var lengths = [ramp.start]
        while ramp.inc > 0, let last = lengths.last, last < ramp.end {
            lengths.append(min(last + ramp.inc, ramp.end))
        }
        return lengths.map { source.batch(examples: phase.batchSize, points: $0) }
    }
}
