import Randomness

/// g = f = w · x where w has three coordinates ~ N(0, 1) at uniformly drawn places and zeros elsewhere (all N(0, 1) up
/// to d = 3): `sparse_linear_regression` of Garg et al. (2022), section 4.1.
///
/// Its public code draws the places among the coordinates that the curriculum has switched on; here they are
/// drawn among all d.
public struct SparseLinearFunction: FunctionClass {
    /// The number of coordinates that are not 0, for d at least as large.
    public static let sparsity = 3

    /// The name in configurations, files and plots.
    public let name = "sparse_linear"
    /// Other names that are accepted for it.
    public let aliases = ["sparse_linear_regression"]

    /// The class has no settings.
    public init() {}

    /// d: the weights w.
    public func taskSize(dims: Int) -> Int { dims }

    /// Draws d standard normals, then three different places; all other numbers become 0.
    public func drawTask(_ key: RandomKey, into task: inout MutableSpan<Float>) {
        key.fillNormals(&task)
        let dims = task.count
        guard dims > Self.sparsity else { return }
        // A block that the normals never reach. 32 bits times the bound, the high half, is uniform to one part in 10⁸.
        let words = key.block(0x8000_0000)
        func place(_ word: Int, below bound: Int) -> Int {
            Int(words[word].multipliedFullWidth(by: UInt32(truncatingIfNeeded: bound)).high)
        }
        let first = place(0, below: dims)
        // The second and third count only the places that are left.
        var second = place(1, below: dims - 1)
        if second >= first { second += 1 }
        var third = place(2, below: dims - 2)
        if third >= min(first, second) { third += 1 }
        if third >= max(first, second) { third += 1 }
        for coordinate in 0..<dims
        where coordinate != first && coordinate != second && coordinate != third {
            task[coordinate] = 0
        }
    }

    /// g = f.
    public func evaluate(
        inputs: Span<Float>, base: Span<Float>, task: Span<Float>,
        into labels: inout MutableSpan<Float>
    ) {
        LinearFunction().evaluate(inputs: inputs, base: base, task: task, into: &labels)
    }

    /// ∇g = w.
    public func gradients(
        inputs: Span<Float>, base: Span<Float>, task: Span<Float>,
        into gradients: inout MutableSpan<Float>
    ) {
        LinearFunction().gradients(inputs: inputs, base: base, task: task, into: &gradients)
    }

    /// min(3, d) without examples, 0 from k = 4 on (and from k = d on), (d − k)₊ for d ≤ 3, nil for k = 1, 2, 3.
    ///
    /// Four or more equations in three unknowns hold on no three places but the true ones. 0 where the prefix shows
    /// the query's label; f at the examples is g at the examples and tells nothing more.
    public func bayesError(contextLength: Int, dims: Int, knowledge: BaseKnowledge) -> Double? {
        switch knowledge {
        case .nothing, .context, .partOfContext:
            if dims <= Self.sparsity { return Double(max(dims - contextLength, 0)) }
            if contextLength > Self.sparsity { return 0 }
            return contextLength == 0 ? Double(Self.sparsity) : nil
        case .function, .query: return 0
        case .other: return nil
        }
    }

    /// The mixture over all choices of three places; nil beyond d = 20, 1,140 choices.
    public func bayesPredictor(dims: Int, prefix: PrefixInformation) -> (any BayesPredictor)? {
        dims <= 20 ? SparseLinearPredictor(dims: dims, prefix: prefix) : nil
    }

    /// E[(w · x)²] = min(3, d).
    public func zeroPredictorError(dims: Int) -> Double { Double(min(Self.sparsity, dims)) }
}
