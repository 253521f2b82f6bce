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
    /// Workers of a step: noted in every checkpoint, of no influence on the numbers.
    public var workers: Int

    /// - Parameters:
    ///   - steps: optimizer updates in all.
    ///   - schedule: learning rate against step.
    ///   - adam: Adam's numbers and clipping.
    ///   - logEvery: steps between two records.
    ///   - checkpointSeconds: seconds between two checkpoints.
    ///   - workers: workers of a step.
    public init(
        steps: Int, schedule: LearningRateSchedule, adam: AdamOptions, logEvery: Int,
        checkpointSeconds: Double, workers: Int = 1
    ) {
        self.steps = steps
        self.schedule = schedule
        self.adam = adam
        self.logEvery = logEvery
        self.checkpointSeconds = checkpointSeconds
        self.workers = workers
    }
}
