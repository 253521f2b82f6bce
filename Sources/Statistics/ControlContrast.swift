/// What a control gains over the reference, next to what the treatment gains.
///
/// The rule "the control's gain is below half of the treatment's" compares two estimates that share the
/// reference's errors, the seeds and the prompts. Setting the upper end of one interval against half
/// the mean of the other would take that mean for known, and would forget that the two move together;
/// so the rule is asked of one contrast per prompt, whose interval holds both uncertainties:
///
///     (reference − control) − ½ (reference − treatment) = ½ reference + ½ treatment − control.
public struct ControlContrast: Sendable, Hashable {
    /// reference − control: the plain effect.
    public let control: Effect
    /// reference − treatment.
    public let gain: Effect
    /// (reference − control) − ½ (reference − treatment).
    public let beyondHalf: Effect
    /// The same with the other sign, above 0 where the rule holds: ½ (reference − treatment) − (reference − control).
    public var belowHalf: Effect { beyondHalf.negated }

    /// A contrast with the given parts.
    public init(control: Effect, gain: Effect, beyondHalf: Effect) {
        self.control = control
        self.gain = gain
        self.beyondHalf = beyondHalf
    }

    /// Each part over several base models, as ``Effect/overBases(_:)``.
    ///
    /// - Parameter contrasts: one per base, at least one.
    public static func overBases(_ contrasts: [ControlContrast]) -> ControlContrast {
        ControlContrast(
            control: .overBases(contrasts.map(\.control)),
            gain: .overBases(contrasts.map(\.gain)),
            beyondHalf: .overBases(contrasts.map(\.beyondHalf)))
    }
}
