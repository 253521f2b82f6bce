/// What part A of a prompt tells about the base function f, beside the inputs themselves.
public enum PrefixInformation: Sendable, Hashable {
    /// Nothing: there is no part A, or its labels are independent of the task.
    case nothing
    /// f(x_i) for i ≤ m, *the query included* while k < m.
    case firstBaseLabels(Int)
    /// f(x_1) … f(x_k), of the examples before the query alone.
    case contextBaseLabels
    /// f at m inputs that stand nowhere else.
    case freshBaseLabels(Int)
    /// f(x_1) … f(x_n) without saying which label belongs to which input.
    case shuffledBaseLabels

    /// What is known about f when g(x_{k+1}) is to be predicted.
    ///
    /// - Parameters:
    ///   - contextLength: k
    ///   - dims: d; that many values of f at inputs in general position determine it.
    public func knowledge(contextLength: Int, dims: Int) -> BaseKnowledge {
        switch self {
        case .nothing: return .nothing
        case .firstBaseLabels(let count):
            if count >= dims { return .function }
            if contextLength < count { return .query }
            return count == 0 ? .nothing : count == contextLength ? .context : .partOfContext
        case .contextBaseLabels:
            if contextLength >= dims { return .function }
            return contextLength == 0 ? .nothing : .context
        case .freshBaseLabels(let count):
            return count >= dims ? .function : count == 0 ? .nothing : .other
        case .shuffledBaseLabels: return .other
        }
    }
}

/// What is known about the base function f at the moment of a prediction.
public enum BaseKnowledge: Sendable, Hashable {
    /// Nothing but what g tells.
    case nothing
    /// f itself.
    case function
    /// f(x_1) … f(x_k) and f(x_{k+1}).
    case query
    /// f(x_1) … f(x_k).
    case context
    /// f at some of x_1 … x_k.
    case partOfContext
    /// Something for which no closed form is known.
    case other
}
