/// A baseline was asked for on a function class that it is not meant for.
public struct BaselineError: Error, CustomStringConvertible, Sendable, Hashable {
    /// The baseline's name.
    public let baseline: String
    /// The function class's name.
    public let functionClass: String
    /// The function classes that the baseline is meant for.
    public let functionClasses: [String]
    /// The names of the baselines that apply to the function class.
    public let applicable: [String]

    init(baseline: any Baseline, functionClass: any FunctionClass) {
        self.baseline = baseline.name
        self.functionClass = functionClass.name
        functionClasses = baseline.functionClasses ?? []
        applicable = (Baselines.all + Baselines.special)
            .filter { $0.applies(to: functionClass) }.map(\.name)
    }

    /// One sentence: what does not apply to what, what it is meant for, and the baselines that apply.
    public var description: String {
        "the baseline '\(baseline)' does not apply to the function class '\(functionClass)', only to "
            + functionClasses.joined(separator: ", ") + ": choose among "
            + applicable.joined(separator: ", ")
    }
}
