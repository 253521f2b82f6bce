import InContextRegression

/// One prompt of `functionClass`.
func samplePrompt(
    _ functionClass: any FunctionClass, points: Int, dims: Int, seed: UInt64
) -> PromptBatch {
    let batch = PromptBatch(examples: 1, points: points, dims: dims, functionClass: functionClass)
    batch.sample(functionClass, seed: seed, phase: .evaluation, firstExample: 0)
    return batch
}

/// The predictions of `baseline` for x: [n, d] and y: [n]; at `queries` where they are not x.
func predictions(
    _ baseline: any Baseline, x: [Float], y: [Float], queries: [Float]? = nil
) -> [Double] {
    var predictions = [Double](repeating: .nan, count: y.count)
    var span = predictions.mutableSpan
    let queries = queries ?? x
    baseline.predict(inputs: x.span, labels: y.span, queries: queries.span, into: &span)
    return predictions
}

/// The weights of a `baseline` that is linear in the query, at every k: [d][n]. A query along a coordinate shows that
/// coordinate's weight.
func weights(_ baseline: any Baseline, x: [Float], y: [Float]) -> [[Double]] {
    let dims = x.count / y.count
    return (0..<dims).map { coordinate in
        let unit = (0..<x.count).map { $0 % dims == coordinate ? Float(1) : 0 }
        return predictions(baseline, x: x, y: y, queries: unit)
    }
}
