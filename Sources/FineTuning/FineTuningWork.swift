import Corpora
import Experiments
import Foundation
import Kernels
import LanguageModeling
import Objectives
import Platform
import TensorStorage
import Training
import Transformer

/// The work on one text run: training from its last checkpoint on, evaluations on the way, and what it leaves.
final class FineTuningWork {
    private let configuration: FineTuningConfiguration
    private let directory: RunDirectory
    private let model: ModelDirectory
    private let fingerprint: String
    private let inputs: FineTuningInputs
    private let pool: WorkerPool
    private var loaded: (source: BatchSource, parts: FineTuningInputs.Parts)?
    /// Updates in all, once they have been counted.
    private var counted: Int?

    init(
        _ run: PlannedFineTuning, in directory: RunDirectory, inputs: FineTuningInputs,
        pool: WorkerPool
    ) throws {
        configuration = run.configuration
        self.directory = directory
        self.inputs = inputs
        self.pool = pool
        (model, fingerprint) = try inputs.model(run.configuration.model)
    }

    private var isPreference: Bool { configuration.objective.kind == .dpo }
    private var lora: LoRAConfiguration? { configuration.training.lora?.configuration }

    private func source() throws -> (source: BatchSource, parts: FineTuningInputs.Parts) {
        if let loaded { return loaded }
        let parts = try inputs.corpus(configuration)
        let source = BatchSource(
            try inputs.recipe(configuration), documents: parts.training,
            packs: configuration.training.packs, batchSize: configuration.training.batchSize,
            seed: configuration.seed, pool: pool, preparing: inputs.preparing)
        loaded = (source, parts)
        return (source, parts)
    }

    /// Updates in all.
    func steps() throws -> Int {
        if let steps = configuration.training.steps ?? counted { return steps }
        let steps = try source().source.stepCount(epochs: configuration.training.epochs ?? 1)
        counted = steps
        return steps
    }

    /// Gives back the memory of what was read.
    func forget() { loaded = nil }

    // MARK: Before anything is written

    /// Asks for the memory of an update, and makes the examples that training will meet, of one pass over the documents at
    /// most, and those that are held out.
    ///
    /// - Throws: what would stop the run on its way; `InterruptedError` after a signal.
    func check() throws {
        defer { forget() }
        // Before an endpoint is asked, which may cost money.
        try checkMemory()
        try inputs.checkPrompts(configuration)
        let (source, parts) = try source()
        try inputs.tellOfTextsWithoutExercises(configuration, pool: pool)
        try source.check(steps: steps())
        _ = try HeldOutBins(configuration, parts, inputs: inputs, pool: pool)
    }

    /// Rows of a bin at most: the last token of a sequence is a target alone, and a pair has two.
    private func rowsOfBin(_ length: Int) -> Int { (isPreference ? 2 : 1) * (length - 1) }

    /// Says so when memory cannot hold an update.
    private func checkMemory() throws {
        let llama = model.configuration.llama
        let length = try inputs.sequenceLength(configuration)
        let workspace = llama.workspaceBytes(
            rows: configuration.training.microBatchSize * rowsOfBin(length), longest: length,
            forTraining: true, workers: pool.workerCount,
            recomputes: configuration.recording.recomputes, lora: lora,
            precision: configuration.training.precision)
        let count = lora.map { TensorLayout($0.tensors(llama)).count } ?? llama.layout.count
        // Parameters, two moments and gradients.
        try requireMemory(
            workspace + 16 * Double(count), model: model,
            cure: "lower training.micro_batch_size or training.sequence_length, set "
                + "training.activation_checkpointing, or take training.method=lora")
    }

    // MARK: Training

    /// Trains to the end, from the last checkpoint where there is one.
    func train(
        _ records: RunRecords, progress: @escaping (_ step: Int, _ loss: Double) -> Void
    ) throws -> TrainingOutcome {
        let steps = try steps()
        // Once more: another run may have taken it meanwhile.
        try checkMemory()
        let (source, parts) = try source()
        let start = try FineTuner.Trainables(model, lora, seed: configuration.seed)
        var state = TrainingState(layout: start.layout, parameters: start.parameters)
        let resumed = try directory.latestCheckpointStep()
        if let resumed {
            _ = try Checkpoint.read(into: &state, from: directory.checkpointPath(step: resumed))
        }
        let tuner = FineTuner(
            model, configuration.tunerOptions, state: state,
            binRows: rowsOfBin(source.recipe.maximumLength),
            longest: source.recipe.maximumLength - 1, pool: pool)
        let evaluation = HeldOutEvaluation(
            configuration, try HeldOutBins(configuration, parts, inputs: inputs, pool: pool),
            tuner: tuner)
        try checkGeneratedPrompts(isResumed: resumed != nil)
        if resumed == nil, let values = evaluation.measure() {
            try records.appendMetrics(step: 0, values)
        }
        let parameters = state.parameters
        var best = try Self.bestLoss(directory)
        guard let reference = try referenceOfPreferences(tuner, steps: steps) else {
            return .interrupted
        }
        var pace = Pace()
        let loop = TrainingLoop(
            options: options(steps: steps), directory: directory, records: records,
            gradients: { [configuration, isPreference] step in
                let bins = try source.batch(step: step)
                pace.tokens += bins.reduce(0) { $0 + $1.rowCount }
                guard isPreference else { return tuner.gradients(bins, step: step) }
                return tuner.gradients(
                    bins, step: step, configuration.objective.loss,
                    reference: bins.map {
                        guard let known = reference[$0.pair ?? 0] else {
                            preconditionFailure("no reference for a pair")
                        }
                        return known
                    })
            },
            update: tuner.update, progress: progress,
            measure: { [self] step in
                var values: [String: Double] = [:]
                if evaluation.isDue(after: step, of: steps), let measured = evaluation.measure() {
                    values = measured
                    if let loss = measured["eval/loss"], loss < best ?? .infinity {
                        best = loss
                        try publish(parameters, as: "best")
                    }
                }
                if step % configuration.recording.logEvery == 0 || step == steps || !values.isEmpty
                {
                    values["perf/tokens_per_second"] = pace.take()
                }
                return values
            })
        return try loop.run(&state)
    }

    private func options(steps: Int) -> TrainingOptions {
        let training = configuration.training
        return TrainingOptions(
            steps: steps,
            schedule: training.schedule.schedule(
                peak: training.optimizer.learningRate, steps: steps),
            adam: training.optimizer.adamOptions, logEvery: configuration.recording.logEvery,
            checkpointSeconds: configuration.recording.checkpointSeconds,
            workers: pool.workerCount)
    }

    /// The lowest held-out loss that the records up to the last checkpoint hold; nil where there is none.
    private static func bestLoss(_ directory: RunDirectory) throws -> Double? {
        try RecordReader.read(directory.metricsPath, as: JSONValue.self)
            .filter { ($0["step"]?.integerValue ?? 0) > 0 }
            .compactMap { $0["eval/loss"]?.doubleValue }.min()
    }

    /// Reference log-probabilities of the training pairs that updates learn from, computed once and kept in the run's folder.
    ///
    /// - Returns: by pair; nil after a signal, when what is there has been kept.
    private func referenceOfPreferences(
        _ tuner: FineTuner, steps: Int
    ) throws -> [PreferenceLoss.LogProbabilities?]? {
        guard isPreference else { return [] }
        let (source, parts) = try source()
        let path = "\(directory.analysisPath)/reference.json"
        typealias Reference = [PreferenceLoss.LogProbabilities?]
        var reference = Reference(repeating: nil, count: parts.training.count)
        if let data = try? WholeFile.read(path),
            let kept = try? JSONDecoder().decode(Reference.self, from: data),
            kept.count == reference.count
        {
            reference = kept
        }
        let bins = try source.recipe.bins(
            source.pairs(steps: steps).map { ($0, parts.training[$0]) }, epoch: 0, packs: false,
            pool: pool)
        // The same groups after an interruption: the bits do not hang on it.
        let size = configuration.training.microBatchSize
        let missing = stride(from: 0, to: bins.count, by: size)
            .map { Array(bins[$0..<min($0 + size, bins.count)]) }
            .filter { $0.contains { reference[$0.pair ?? 0] == nil } }
        if missing.isEmpty { return reference }
        let total = missing.reduce(0) { $0 + $1.count }
        defer { inputs.preparing.ended() }
        inputs.preparing.advanced(.reference, 0, total)
        var done = 0
        var isInterrupted = false
        for group in missing {
            isInterrupted = InterruptFlag.isRaised
            if isInterrupted { break }
            for (bin, value) in zip(group, tuner.reference(group)) {
                reference[bin.pair ?? 0] = value
            }
            done += group.count
            inputs.preparing.advanced(.reference, done, total)
        }
        try Folder.create(directory.analysisPath)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        try AtomicFile.write(encoder.encode(reference), to: path)
        return isInterrupted ? nil : reference
    }

    /// Keeps which prompts an endpoint had made when the run began, and refuses to go on with other ones.
    private func checkGeneratedPrompts(isResumed: Bool) throws {
        guard let generator = configuration.objective.generator,
            let hash = try inputs.hashOfGeneratedPrompts(configuration)
        else { return }
        let path = "\(directory.analysisPath)/prompts.sha256"
        if isResumed, let kept = try? WholeFile.read(path), kept != Data(hash.utf8) {
            throw FineTuningError(
                inputs.cacheOfPrompts(generator, configuration),
                "holds other prompts than those with which '\(directory.path)' began; restore them, or train it anew with "
                    + "--restart")
        }
        try Folder.create(directory.analysisPath)
        try AtomicFile.write(Data(hash.utf8), to: path)
    }

    // MARK: What it leaves

    private var resultName: String { lora == nil ? "model" : "adapter" }

    /// Whether the trained model, or its adapters, are there for others to read.
    var isPublished: Bool { Folder.isFolder("\(directory.path)/\(resultName)") }

    /// Writes the last checkpoint as Hugging Face's ecosystem reads it: the folder `model`, or PEFT's `adapter`.
    func publish() throws {
        if isPublished { return }
        guard let step = try directory.latestCheckpointStep() else { return }
        let start = try FineTuner.Trainables(model, lora, seed: configuration.seed)
        var state = TrainingState(layout: start.layout, parameters: start.parameters)
        _ = try Checkpoint.read(into: &state, from: directory.checkpointPath(step: step))
        try publish(state.parameters, as: resultName)
    }

    private func publish(_ parameters: FloatView, as name: String) throws {
        let path = "\(directory.path)/\(name)"
        if let lora {
            try AtomicFile.publishFolder(at: path) {
                try AdapterDirectory.write(
                    parameters, lora, base: model, fingerprint: fingerprint, into: $0)
            }
            return
        }
        let saved = StoredElement(rawValue: configuration.training.savesAs)
        let writer = ModelWriter(
            model.configuration, storedAs: saved ?? model.weights.embedding.element)
        try AtomicFile.publishFolder(at: path) {
            try writer.fill($0, with: parameters, carryingFrom: model.path, pool: pool)
        }
    }
}

/// Tokens of a stretch of steps, and when it began.
private struct Pace {
    var tokens = 0
    private var began = Date()

    /// Tokens a second since the last call.
    mutating func take() -> Double {
        let now = Date()
        defer { (tokens, began) = (0, now) }
        return Double(tokens) / max(now.timeIntervalSince(began), 1e-9)
    }
}

extension ObjectiveConfiguration {
    /// As the trainer takes it.
    var loss: PreferenceLoss { PreferenceLoss(beta: beta, labelSmoothing: labelSmoothing) }
}

/// Refuses an update that memory cannot hold before anything is allocated for it.
///
/// - Parameters:
///   - needed: bytes.
///   - model: the model.
///   - cure: what takes less.
/// - Throws: ``FineTuningError`` with both numbers.
func requireMemory(_ needed: Double, model: ModelDirectory, cure: String) throws {
    let available = Double(MemoryStatistics.available())
    guard needed > available else { return }
    throw FineTuningError(
        model.path,
        String(
            format: "an update takes %.1f GB and %.1f GB are free; ", needed / 1e9, available / 1e9)
            + cure)
}
