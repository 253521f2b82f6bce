import Transformer

/// How long and how a model is trained; everything else is the closure that gives loss and gradients.
public struct TrainingOptions: Sendable, Hashable {
    /// Optimizer updates in all.
    public var steps: Int
    /// Learning rate against step.
    public var schedule: LearningRateSchedule
    /// Adam's numbers and clipping.
    public var adam: AdamOptions
    /// Steps between two records in metrics.jsonl; a record holds the mean loss since the one before.
    public var logEvery: Int
    /// Seconds between two checkpoints; one is always written at the end.
    public var checkpointSeconds: Double
    /// The steps after which the weights are kept for good, so that a model can be measured as it was then.
    public var snapshots: SnapshotSteps
    /// Workers of a step: noted in every checkpoint, of no influence on the numbers.
    public var workers: Int

    /// - Parameters:
    ///   - steps: optimizer updates in all.
    ///   - schedule: learning rate against step.
    ///   - adam: Adam's numbers and clipping.
    ///   - logEvery: steps between two records.
    ///   - checkpointSeconds: seconds between two checkpoints.
    ///   - snapshots: the steps after which the weights are kept for good.
    ///   - workers: workers of a step.
    public init(
        steps: Int, schedule: LearningRateSchedule, adam: AdamOptions, logEvery: Int,
        checkpointSeconds: Double, snapshots: SnapshotSteps = .never, workers: Int = 1
    ) {
        self.steps = steps
        self.schedule = schedule
        self.adam = adam
        self.logEvery = logEvery
        self.checkpointSeconds = checkpointSeconds
        self.snapshots = snapshots
        self.workers = workers
    }
}

/// After which steps the weights are kept.
public enum SnapshotSteps: String, Codable, Sendable, CaseIterable {
    /// Never.
    case never = "none"
    /// After 1, 2, 5, 10, 20, 50, … steps: three to a decade, because learning is seen against ln step.
    case log

    /// The steps up to `last`.
    public func steps(through last: Int) -> [Int] {
        guard self == .log else { return [] }
        var steps: [Int] = []
        var decade = 1
        while decade <= last {
            steps += [1, 2, 5].map { $0 * decade }.filter { $0 <= last }
            decade *= 10
        }
        return steps
    }

    /// Whether the weights are kept after `step`.
    func contains(_ step: Int) -> Bool {
        guard self == .log, step > 0 else { return false }
        var leading = step
        while leading.isMultiple(of: 10) { leading /= 10 }
        return [1, 2, 5].contains(leading)
    }
}
