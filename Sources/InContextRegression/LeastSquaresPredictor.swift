import Kernels

/// The posterior of sums of m independent linear functions w · x: the least-squares solution of minimum norm, with
/// variance m times the squared length of the query outside the span of the examples.
///
/// For `linear` (m = 1) and `multilinear` (m = 2). Where the prefix shows f at the query, f is one of the m functions,
/// known, and the others are fitted to g − f at the examples. f at the examples alone tells nothing about g outside
/// their span. Exact for any inputs, as long as the labels are those of the class.
struct LeastSquaresPredictor: BayesPredictor {
    let dims: Int
    let prefix: PrefixInformation
    /// m
    let summands: Int

    func covers(contextLength: Int) -> Bool {
        prefix.knowledge(contextLength: contextLength, dims: dims) != .other
    }

    func posterior(
        of prompt: PromptBatch, means: inout MutableSpan<Double>,
        variances: inout MutableSpan<Double>
    ) {
        var sum = IncrementalLeastSquares(dims: dims)
        var rest = IncrementalLeastSquares(dims: dims)
        prompt.inputs.withSpan { inputs in
            prompt.queries.withSpan { queries in
                for k in 0..<prompt.points {
                    let row = k * dims..<(k + 1) * dims
                    let query = queries.extracting(row)
                    let knowledge = prefix.knowledge(contextLength: k, dims: dims)
                    switch knowledge {
                    case .function, .query:
                        let (mean, outside) = rest.posterior(at: query)
                        means[k] = Double(prompt.queryBase[k]) + mean
                        variances[k] = Double(summands - 1) * outside
                    case .nothing, .context, .partOfContext:
                        let (mean, outside) = sum.posterior(at: query)
                        means[k] = mean
                        variances[k] = Double(summands) * outside
                    case .other: break
                    }
                    let label = Double(prompt.labels[k])
                    // A known f stays known, so nobody asks for the sum again.
                    if knowledge != .function { sum.add(inputs.extracting(row), label: label) }
                    // The rest of a single function is 0, which needs no fit.
                    if summands > 1 {
                        rest.add(inputs.extracting(row), label: label - Double(prompt.base[k]))
                    }
                }
            }
        }
    }
}
