import Kernels

/// The numbers of a single prompt in double.
struct PromptNumbers {
    /// n
    let points: Int
    /// d
    let dims: Int
    /// x: [n, d]
    let inputs: [Double]
    /// f(x): [n]
    let base: [Double]
    /// Labels of the examples: [n]
    let labels: [Float]
    /// The points that are asked for: [n, d]
    let queries: [Double]
    /// f at the queries: [n]
    let queryBase: [Double]

    init(_ prompt: PromptBatch) {
        precondition(
            prompt.exampleCount == 1, "a posterior is of one prompt, not \(prompt.exampleCount)")
        points = prompt.points
        dims = prompt.dims
        inputs = prompt.inputs.array.map(Double.init)
        base = prompt.base.array.map(Double.init)
        labels = prompt.labels.array
        queries = prompt.queries.array.map(Double.init)
        queryBase = prompt.queryBase.array.map(Double.init)
    }
}

extension PrefixInformation {
    /// Whether the prefix shows f at example `index` (0 … k − 1) of the `contextLength` examples before a query, by the
    /// point's own place.
    func showsBase(ofExample index: Int) -> Bool {
        switch self {
        case .firstBaseLabels(let count): index < count
        case .contextBaseLabels: true
        case .nothing, .freshBaseLabels, .shuffledBaseLabels: false
        }
    }
}
