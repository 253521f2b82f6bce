/// What the measurements say about a claim.
///
/// An effect without an interval supports nothing, and neither does an interval that touches 0.
public enum Verdict: String, Sendable, Hashable, CaseIterable {
    /// The whole 95 % interval lies on the claimed side.
    case supported
    /// The interval does not lie on the claimed side.
    case notSupported = "not supported"
    /// There is a difference, but another explanation of it is not ruled out.
    case confounded

    /// The claim that every one of `effects` is above 0.
    ///
    /// Supported exactly when the interval of each lies above 0. No correction for several effects is
    /// due: all must hold, so the chance of supporting a false claim is at most that of one of them.
    ///
    /// - Parameter effects: at least one.
    public static func positive(_ effects: [Effect]) -> Verdict {
        precondition(!effects.isEmpty, "a verdict needs at least one effect")
        return effects.allSatisfy(\.isPositive) ? .supported : .notSupported
    }

    /// The claim that the treatment gains, and the control less than half of that.
    ///
    /// Supported exactly when the interval of reference − treatment lies above 0 and that of
    /// (reference − control) − ½ (reference − treatment) below 0. The first part is asked for because
    /// half of no gain is no bar: a control that does harm would pass it.
    public static func semantics(_ contrast: ControlContrast) -> Verdict {
        contrast.gain.isPositive && contrast.beyondHalf.isNegative ? .supported : .notSupported
    }

    /// The claim that a gain is more than the prompts' contents imply.
    ///
    /// Supported when the interval of the difference in excess risk lies above 0. Otherwise confounded
    /// if the plain errors do differ (`curve` is supported), for then their difference may be that of
    /// the Bayes errors; not supported if they do not.
    ///
    /// - Parameters:
    ///   - curve: the verdict on the difference of the plain errors.
    ///   - excess: the differences in excess risk, at least one.
    public static func information(curve: Verdict, excess: [Effect]) -> Verdict {
        if positive(excess) == .supported { return .supported }
        return curve == .supported ? .confounded : .notSupported
    }

    /// The claim that a gap survives when the information that could leak is taken away.
    ///
    /// Confounded when the interval of the share includes 0, as an unbounded one does: the leak may
    /// then account for the whole gap. Supported when the share's interval and the reference gap's lie
    /// above 0. Not supported otherwise: the gap is reversed, there is no gap to begin with, or the
    /// share has no interval.
    ///
    /// - Parameters:
    ///   - share: the gap without the leak as a share of the gap with it, as
    ///     ``CrossedBootstrap/share(_:of:level:)``.
    ///   - reference: the gap with the leak.
    public static func leak(share: Effect, reference: Effect) -> Verdict {
        if share.interval?.contains(0) ?? false { return .confounded }
        return positive([share, reference])
    }
}
