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

    /// - Parameters:
    ///   - step: the update that failed, counted from 1.
    ///   - description: one sentence with the step and the cure.
    public init(step: Int, description: String) {
        self.step = step
        self.description = description
    }
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
    /// Where checkpoints go.
    public let directory: RunDirectory
    /// Where records go.
    public let records: RunRecords
    /// Loss and global gradient norm of a step, counted from 0.
    public let gradients: (_ step: Int) throws -> (loss: Double, gradientNorm: Double)
    /// One optimizer update with the gradients of the last call.
    public let update: (AdamStep) -> Void
    /// Told of every step done: steps so far and the loss.
    public let progress: (_ step: Int, _ loss: Double) -> Void
    /// What else is noted of a step, by tag, such as an evaluation's loss; called after every update, nothing for most.
    public let measure: (_ step: Int) throws -> [String: Double]

    /// - Parameters:
    ///   - options: how long and how.
    ///   - directory: where checkpoints go.
    ///   - records: where records go.
    ///   - gradients: loss and global gradient norm of a step, counted from 0.
    ///   - update: one optimizer update with the gradients of the last call.
    ///   - progress: told of every step done.
    ///   - measure: what else is noted of a step, by tag; called after every update.
    public init(
        options: TrainingOptions, directory: RunDirectory, records: RunRecords,
        gradients: @escaping (_ step: Int) throws -> (loss: Double, gradientNorm: Double),
        update: @escaping (AdamStep) -> Void,
        progress: @escaping (_ step: Int, _ loss: Double) -> Void,
        measure: @escaping (_ step: Int) throws -> [String: Double] = { _ in [:] }
    ) {
        self.options = options
        self.directory = directory
        self.records = records
        self.gradients = gradients
        self.update = update
        self.progress = progress
        self.measure = measure
    }

    /// Trains `state` to the last step, or until a signal.
    ///
    /// A checkpoint is good once a loss computed from it was a number: the one before it is kept until then.
    ///
    /// - Parameter state: where to start; a state read from the last checkpoint continues as if never stopped.
    /// - Returns: whether all steps are done.
    /// - Throws: ``DivergenceError`` when the loss or a parameter is no longer a number (the last good checkpoint stays),
    ///   or a disk's error.
    public func run(_ state: inout TrainingState) throws -> TrainingOutcome {
        if try directory.latestCheckpointStep() == nil { try checkpoint(state) }
        var lastCheckpoint = Date()
        var isProven = false
        while state.step < options.steps {
            let start = Date()
            let (loss, norm) = try gradients(state.step)
            guard loss.isFinite, norm.isFinite else {
                if try directory.latestCheckpointStep() == state.step {
                    try directory.removeLatestCheckpoint()
                }
                throw divergence(
                    step: state.step + 1,
                    "the loss is \(text(loss)) and the gradient norm \(text(norm))")
            }
            if !isProven { try directory.removeEarlierCheckpoints() }
            isProven = true
            let rate = options.schedule.rate(atStep: state.step)
            update(adamStep(number: state.step + 1, rate: rate, gradientNorm: norm))
            state.step += 1
            state.lossSum += loss
            state.lossCount += 1
            let seconds = Date().timeIntervalSince(start)
            let measured = try measure(state.step)
            if !measured.isEmpty || state.step % options.logEvery == 0
                || state.step == options.steps
            {
                let record = [
                    "train/loss": state.lossSum / Double(state.lossCount),
                    "train/grad_norm": norm, "train/learning_rate": rate,
                    "perf/seconds_per_step": seconds,
                ]
                try records.appendMetrics(
                    step: state.step, record.merging(measured, uniquingKeysWith: { $1 }))
                state.lossSum = 0
                state.lossCount = 0
            }
            if options.snapshots.contains(state.step) {
                try Checkpoint.writeWeights(of: state, to: directory.snapshotPath(step: state.step))
            }
            progress(state.step, loss)
            if InterruptFlag.isRaised && state.step < options.steps {
                try checkpoint(state)
                return .interrupted
            }
            if Date().timeIntervalSince(lastCheckpoint) >= options.checkpointSeconds
                || state.step == options.steps
            {
                try checkpoint(state)
                isProven = false
                lastCheckpoint = Date()
            }
        }
        return .finished
    }

    private func divergence(step: Int, _ what: String) -> DivergenceError {
        DivergenceError(
            step: step,
            description:
                "\(directory.path): \(what) at step \(step); lower the phase's optimizer.learning_rate or "
                + "set optimizer.clip_norm (the last good checkpoint is kept)")
    }

    /// The sign of a NaN means nothing.
    private func text(_ value: Double) -> String { value.isNaN ? "nan" : "\(value)" }

    private func adamStep(number: Int, rate: Double, gradientNorm: Double) -> AdamStep {
        let adam = options.adam
        return AdamStep(
            number: number, learningRate: rate, beta1: adam.beta1, beta2: adam.beta2,
            epsilon: adam.epsilon, weightDecay: adam.weightDecay, decoupled: adam.decoupledDecay,
            gradientScale: adam.clipScale(gradientNorm: gradientNorm))
    }

    /// Writes a checkpoint and points `latest` at it.
    private func checkpoint(_ state: TrainingState) throws {
        guard squaredNorm(state.parameters).isFinite else {
            throw divergence(step: state.step, "the parameters are no longer finite numbers")
        }
        try records.synchronize()
        let record = CheckpointState(
            step: state.step, lossSum: state.lossSum, lossCount: state.lossCount,
            files: try records.lengths, blasKernel: BLAS.kernelName, workers: options.workers)
        try directory.publishCheckpoint(step: state.step) {
            try Checkpoint.write(state, record: record, into: $0)
        }
    }
}
