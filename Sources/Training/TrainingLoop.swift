import Experiments
import Foundation
import Kernels
import Platform
import Transformer

/// The loss or a gradient stopped being a number.
public struct DivergenceError: Error, CustomStringConvertible {
    /// The update that failed, counted from 1.
    public let step: Int
    /// One sentence with the step and the cure.
    public let description: String
}

/// Why a training loop returned.
public enum TrainingOutcome: Sendable, Equatable {
    /// All steps are done and the last checkpoint is written.
    case finished
    /// A signal asked for a stop; a checkpoint is written.
    case interrupted
}

/// The training loop: gradients, clipping, Adam, records and checkpoints.
///
/// It knows neither prompts nor text: `gradients` gives the loss of one step and leaves its gradient where `update`
/// finds it.
public struct TrainingLoop {
    /// How long and how.
    public let options: TrainingOptions
    /// Where records and checkpoints go.
    public let directory: RunDirectory
    /// Loss and global gradient norm of a step, counted from 0.
    public let gradients: (_ step: Int) throws -> (loss: Double, gradientNorm: Double)
    /// One optimizer update with the gradients of the last call.
    public let update: (AdamStep) -> Void
    /// Told of every step done: steps so far and the loss.
    public let progress: (_ step: Int, _ loss: Double) -> Void

    /// - Parameters:
    ///   - options: how long and how.
    ///   - directory: where records and checkpoints go.
    ///   - gradients: loss and global gradient norm of a step, counted from 0.
    ///   - update: one optimizer update with the gradients of the last call.
    ///   - progress: told of every step done.
    public init(
        options: TrainingOptions, directory: RunDirectory,
        gradients: @escaping (_ step: Int) throws -> (loss: Double, gradientNorm: Double),
        update: @escaping (AdamStep) -> Void,
        progress: @escaping (_ step: Int, _ loss: Double) -> Void
    ) {
        self.options = options
        self.directory = directory
        self.gradients = gradients
        self.update = update
        self.progress = progress
    }

    /// Trains `state` to the last step, or until a signal.
    ///
    /// - Parameter state: where to start; a state read from the last checkpoint continues as if never stopped.
    /// - Returns: whether all steps are done.
    /// - Throws: ``DivergenceError`` when the loss is no longer a number (the last checkpoint stays), or a disk's error.
    public func run(_ state: inout TrainingState) throws -> TrainingOutcome {
        let metrics = try RecordWriter(path: directory.metricsPath)
        var lastCheckpoint = Date()
        while state.step < options.steps {
            let start = Date()
            let (loss, norm) = try gradients(state.step)
            guard loss.isFinite, norm.isFinite else {
                throw DivergenceError(
                    step: state.step + 1,
                    description: "\(directory.path): the loss is \(loss) and the gradient norm "
                        + "\(norm) at step \(state.step + 1); lower the phase's optimizer.learning_rate or set "
                        + "optimizer.clip_norm (the last checkpoint is kept)")
            }
            let rate = options.schedule.rate(atStep: state.step)
            update(adamStep(number: state.step + 1, rate: rate, gradientNorm: norm))
            state.step += 1
            state.lossSum += loss
            state.lossCount += 1
            if state.step % options.logEvery == 0 || state.step == options.steps {
                try metrics.append([
                    "step": .integer(state.step),
                    "train/loss": .number(state.lossSum / Double(state.lossCount)),
                    "train/grad_norm": .number(norm),
                    "train/learning_rate": .number(rate),
                    "perf/seconds_per_step": .number(Date().timeIntervalSince(start)),
                    "time": .number(Date().timeIntervalSince1970),
                ])
                state.lossSum = 0
                state.lossCount = 0
            }
            progress(state.step, loss)
            if InterruptFlag.isRaised && state.step < options.steps {
                try checkpoint(state, metrics)
                return .interrupted
            }
            if Date().timeIntervalSince(lastCheckpoint) >= options.checkpointSeconds
                || state.step == options.steps
            {
                try checkpoint(state, metrics)
                lastCheckpoint = Date()
            }
        }
        // After no step at all the initial parameters are the result.
        if try directory.latestCheckpointStep() != state.step { try checkpoint(state, metrics) }
        return .finished
    }

    private func adamStep(number: Int, rate: Double, gradientNorm: Double) -> AdamStep {
        let adam = options.adam
        return AdamStep(
            number: number, learningRate: rate, beta1: adam.beta1, beta2: adam.beta2,
            epsilon: adam.epsilon, weightDecay: adam.weightDecay, decoupled: adam.decoupledDecay,
            gradientScale: adam.clipScale(gradientNorm: gradientNorm))
    }

    /// Writes a checkpoint, points `latest` at it and drops the ones before.
    private func checkpoint(_ state: TrainingState, _ metrics: RecordWriter) throws {
        try metrics.synchronize()
        let record = CheckpointState(
            step: state.step, lossSum: state.lossSum, lossCount: state.lossCount,
            metricsBytes: try metrics.byteLength, blasKernel: BLAS.kernelName)
        try directory.publishCheckpoint(step: state.step) {
            try Checkpoint.write(state, record: record, into: $0)
        }
        try directory.removeCheckpoints(keeping: [])
    }
}
