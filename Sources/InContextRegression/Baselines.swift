/// The baselines by name.
public enum Baselines {
    /// Every baseline that Garg et al. publish for linear functions, and the zero predictor: cheap, and for every class.
    public static let all: [any Baseline] = [
        ZeroPredictor(), LeastSquares(), Averaging(), NearestNeighbors(count: 3),
    ]

    /// The baselines that are asked for by name: one of each kind, with the settings that its bare name stands for.
    public static let special: [any Baseline] = [
        Ridge(), Lasso(), TrainedNetwork(), RegressionTree(),
    ]

    /// The baseline called `name`: one of ``all`` or ``special`` by its name, or one with a number of its own:
    ///
    /// | name | baseline |
    /// |---|---|
    /// | `knn=K` | ``NearestNeighbors``, 1 ≤ K ≤ 1000 |
    /// | `ridge=L` | ``Ridge`` with λ = L, 0 < L ≤ 10⁶ |
    /// | `lasso=A` | ``Lasso`` with α = A, 10⁻⁶ ≤ A ≤ 10⁶ |
    /// | `decision_tree=D` | ``RegressionTree`` of at most D levels of splits, 1 ≤ D ≤ 1000 |
    ///
    /// A baseline's own name is always accepted, so a name can be stored and looked up again.
    ///
    /// - Throws: ``UnknownNameError`` with the nearest name.
    public static func named(_ name: String) throws -> any Baseline {
        if let found = (all + special).first(where: { $0.name == name }) ?? withNumber(name) {
            return found
        }
        let examples = ["knn=3", "ridge=0.1", "lasso=0.1", "decision_tree=4"]
        throw UnknownNameError(
            kind: "baseline", name: name, accepted: (all + special).map(\.name) + examples)
    }

    /// The baseline of a name that ends in a number; nil where there is none, or the number is out of range.
    private static func withNumber(_ name: String) -> (any Baseline)? {
        let parts = name.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            return name.hasPrefix("knn") ? withNumber("knn=" + name.dropFirst(3)) : nil
        }
        let count = Int(parts[1]).flatMap { (1...1000).contains($0) ? $0 : nil }
        let real = Double(parts[1])
        switch parts[0] {
        case "knn": return count.map(NearestNeighbors.init(count:))
        case "decision_tree": return count.map(RegressionTree.init(depth:))
        case "ridge":
            return real.flatMap { $0 > 0 && $0 <= 1e6 ? Ridge(penalty: $0) : nil }
        case "lasso":
            return real.flatMap { (1e-6...1e6).contains($0) ? Lasso(penalty: $0) : nil }
        default: return nil
        }
    }

    /// `kind=number`, without a fraction where the number is whole.
    static func name(_ kind: String, _ number: Double) -> String {
        number == number.rounded() ? "\(kind)=\(Int(number))" : "\(kind)=\(number)"
    }
}
