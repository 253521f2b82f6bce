/// A whole number that grows in equal increments during training: one line of Garg's curriculum.
public struct CurriculumSchedule: Sendable, Hashable {
    /// The value at step 0.
    public let start: Int
    /// The value that is never exceeded.
    public let end: Int
    /// What is added every `interval` steps.
    public let inc: Int
    /// Steps between increments.
    public let interval: Int

    /// A schedule from `start` to `end`.
    ///
    /// - Precondition: 1 ≤ start ≤ end, inc ≥ 0, interval ≥ 1.
    public init(start: Int, end: Int, inc: Int, interval: Int) {
        precondition(
            start >= 1 && start <= end && inc >= 0 && interval >= 1,
            "a curriculum needs 1 <= start <= end, inc >= 0 and interval >= 1, "
                + "not start \(start), end \(end), inc \(inc), interval \(interval)")
        self.start = start
        self.end = end
        self.inc = inc
        self.interval = interval
    }

    /// A schedule that stays at `value`.
    public init(constant value: Int) { self.init(start: value, end: value, inc: 0, interval: 1) }

    /// min(start + inc · ⌊step / interval⌋, end), where `step` optimizer updates have been made.
    public func value(atStep step: Int) -> Int { min(start + inc * (step / interval), end) }
}

/// How many input dimensions are active and how many points a prompt has, against the step
/// (Garg et al. 2022, appendix A.2). Inactive coordinates of x are 0.
public struct Curriculum: Sendable, Hashable {
    /// Active input dimensions.
    public let dims: CurriculumSchedule
    /// Points per prompt.
    public let points: CurriculumSchedule

    /// A curriculum of two schedules.
    public init(dims: CurriculumSchedule, points: CurriculumSchedule) {
        self.dims = dims
        self.points = points
    }

    /// The paper's own at 20 dimensions and 41 points: dimensions 5 → 20 by 1 and points 11 → 41 by 2,
    /// every 2,000 steps.
    public static let garg = Curriculum(
        dims: CurriculumSchedule(start: 5, end: 20, inc: 1, interval: 2000),
        points: CurriculumSchedule(start: 11, end: 41, inc: 2, interval: 2000))
}
