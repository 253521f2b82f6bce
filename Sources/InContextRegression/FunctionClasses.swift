/// The function classes by name. A new class is its own file and one entry here.
public enum FunctionClasses {
    /// Every class, in the order in which they are listed to users.
    public static let all: [any FunctionClass] = [
        LinearFunction(), PolynomialFunction(), MultilinearFunction(), ReLUFunction(),
        SigmoidFunction(), TanhFunction(), ProductFunction(), SparseLinearFunction(),
        NoisyLinearFunction(), QuadraticFunction(), TwoLayerReLUFunction(), DecisionTreeFunction(),
    ]

    /// The class called `name`, by its own name or an alias.
    ///
    /// - Throws: ``UnknownNameError`` with the nearest name.
    public static func named(_ name: String) throws -> any FunctionClass {
        if let found = all.first(where: { $0.name == name || $0.aliases.contains(name) }) {
            return found
        }
        throw UnknownNameError(
            kind: "function class", name: name, accepted: all.flatMap { [$0.name] + $0.aliases })
    }
}
