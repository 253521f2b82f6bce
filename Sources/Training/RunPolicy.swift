/// Work was stopped by a signal; what is done is kept and the same command continues.
public struct InterruptedError: Error, CustomStringConvertible {
    /// One sentence with what to do.
    public let description: String

    /// An interruption between two runs, or while one was measured.
    public init() { description = "interrupted; what is done is kept, the same command continues" }

    /// - Parameters:
    ///   - run: the folder of the run that was being trained.
    ///   - policy: how it was begun.
    init(run: String, policy: RunPolicy) {
        description =
            "interrupted while working on \(run); its checkpoint is written, the same command "
            + (policy.restarts ? "without --restart " : "") + "continues from there"
    }
}

/// A run folder that does not hold what it should, or a run that failed.
public struct RunError: Error, CustomStringConvertible {
    /// One sentence with the folder and the cure.
    public let description: String

    /// - Parameter description: one sentence with the folder and the cure.
    public init(description: String) { self.description = description }
}

/// What to do about runs that are there already.
public struct RunPolicy: Sendable {
    /// Whether failed runs are tried again, from their last good checkpoint.
    public var retriesFailed: Bool
    /// Whether runs are trained again from step 0, whatever is there.
    public var restarts: Bool
    /// Whether runs may be trained at all; otherwise what is finished is measured.
    public var trains = true
    /// Whether what was there before this command is told apart from what has just been made.
    public var tellsWhatWasThere = true

    /// Looks after runs that have been worked on under this policy just now, here or in another process.
    public var afterwards: RunPolicy {
        var policy = self
        policy.restarts = false
        policy.retriesFailed = false
        policy.tellsWhatWasThere = false
        return policy
    }

    /// Measures what is finished and trains nothing.
    public static var measuring: RunPolicy {
        var policy = RunPolicy()
        policy.trains = false
        return policy
    }

    /// - Parameters:
    ///   - retriesFailed: whether failed runs are tried again.
    ///   - restarts: whether runs are trained again from step 0.
    public init(retriesFailed: Bool = false, restarts: Bool = false) {
        self.retriesFailed = retriesFailed
        self.restarts = restarts
    }
}
