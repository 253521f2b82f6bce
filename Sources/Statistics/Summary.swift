/// Count, mean and spread of a sample.
public struct Summary: Sendable, Hashable {
    /// n, the number of values.
    public let count: Int
    /// The arithmetic mean.
    public let mean: Double
    /// The sample standard deviation, with n − 1; 0 for a single value.
    public let standardDeviation: Double

    /// The standard error of the mean, standard deviation / √n.
    public var standardError: Double { standardDeviation / Double(count).squareRoot() }

    /// The summary of at least one value, in double and in two passes.
    public init<Value: BinaryFloatingPoint>(_ values: some Collection<Value>) {
        precondition(!values.isEmpty, "a summary needs at least one value")
        count = values.count
        let n = Double(count)
        let mean = values.reduce(0.0) { $0 + Double($1) } / n
        let squares = values.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
        self.mean = mean
        standardDeviation = count > 1 ? (squares / (n - 1)).squareRoot() : 0
    }
}

/// The value below which a share `probability` of the sample lies, linear between order statistics
/// (type 7 of Hyndman and Fan 1996, the default of R and NumPy).
///
/// - Precondition: at least one value, 0 ≤ probability ≤ 1.
public func quantile<Value: BinaryFloatingPoint>(
    _ values: some Collection<Value>, _ probability: Double
) -> Double {
    quantile(sorted: values.map { Double($0) }.sorted(), probability)
}

/// ``quantile(_:_:)`` of values that are sorted already.
public func quantile(sorted values: [Double], _ probability: Double) -> Double {
    precondition(
        !values.isEmpty && probability >= 0 && probability <= 1,
        "no quantile \(probability) of \(values.count) values")
    let position = probability * Double(values.count - 1)
    let below = Int(position)
    let above = min(below + 1, values.count - 1)
    return values[below] + (position - Double(below)) * (values[above] - values[below])
}

/// The means of the rows of a matrix: [rows] from `values`: [rows, columns], row-major.
public func rowMeans(_ values: [Float], columns: Int) -> [Float] {
    precondition(
        columns >= 1 && values.count.isMultiple(of: columns),
        "\(values.count) values are not rows of \(columns)")
    return stride(from: 0, to: values.count, by: columns).map { start in
        let sum = values[start..<start + columns].reduce(0.0) { $0 + Double($1) }
        return Float(sum / Double(columns))
    }
}

/// a − b, element by element and seed by seed, for two conditions measured on the same prompts.
///
/// - Parameters:
///   - a: one array per seed.
///   - b: as many arrays of the same lengths.
public func pairedDifferences(_ a: [[Float]], _ b: [[Float]]) -> [[Float]] {
    precondition(
        a.map(\.count) == b.map(\.count), "paired samples need equal seeds, prompts and columns")
    return zip(a, b).map { zip($0, $1).map { $0 - $1 } }
}
