import Kernels

extension PromptLayout {
    /// Writes a batch as token sequences with the targets and weights of its loss
    /// Σ weight · (prediction − target)².
    ///
    /// A token is a vector in R^d: x itself, or (y, 0, …, 0) for a label y. A weight is `lossScale` at
    /// part B's inputs and 0 elsewhere, where the target is 0 too; `lossScale` = 1 / (B · n), with B the
    /// whole batch, makes the weighted sum the mean squared error. The last label may be left out: T is
    /// ``tokenCount(points:)`` or ``visibleTokenCount(points:)``.
    ///
    /// - Parameters:
    ///   - batch: b prompts of n points in d dimensions.
    ///   - tokens: T; the whole prompt when nil.
    ///   - inputs: [b, T, d], overwritten.
    ///   - targets: [b, T], overwritten.
    ///   - weights: [b, T], overwritten.
    ///   - lossScale: the weight of one predicted label.
    public func write(
        _ batch: PromptBatch, tokens: Int? = nil, inputs: FloatView, targets: FloatView,
        weights: FloatView,
        lossScale: Float
    ) {
        let tokens = tokens ?? tokenCount(points: batch.points)
        let rows = batch.exampleCount * tokens
        precondition(tokens >= visibleTokenCount(points: batch.points))
        precondition(
            inputs.count == rows * batch.dims && targets.count == rows && weights.count == rows,
            "\(batch.exampleCount) prompts of \(tokens) tokens in \(batch.dims) dimensions do not "
                + "fit \(inputs.count) inputs, \(targets.count) targets, \(weights.count) weights")
        let first = prefixTokenCount(points: batch.points)
        inputs.fill(0)
        inputs.withMutableSpan { span in
            switch prefix {
            case .none: break
            case .baseLabels: writePairs(batch, labels: batch.base, from: 0, of: tokens, &span)
            case .noise: writePairs(batch, labels: batch.noise, from: 0, of: tokens, &span)
            }
            writePairs(batch, labels: batch.labels, from: first, of: tokens, &span)
        }
        targets.fill(0)
        weights.fill(0)
        for row in 0..<batch.exampleCount {
            for point in 0..<batch.points {
                let token = row * tokens + first + 2 * point
                targets[token] = batch.labels[row * batch.points + point]
                weights[token] = lossScale
            }
        }
    }

    /// Writes x_1, y_1, …, x_n, y_n of every prompt from its token `first`, as far as its `tokens` T go;
    /// `sequence` is [b, T, d] and zeroed.
    private func writePairs(
        _ batch: PromptBatch, labels: FloatView, from first: Int,
        of tokens: Int, _ sequence: inout MutableSpan<Float>
    ) {
        let dims = batch.dims
        batch.inputs.withSpan { x in
            labels.withSpan { y in
                for row in 0..<batch.exampleCount {
                    for point in 0..<batch.points {
                        let source = row * batch.points + point
                        let target = (row * tokens + first + 2 * point) * dims
                        for coordinate in 0..<dims {
                            sequence[target + coordinate] = x[source * dims + coordinate]
                        }
                        if first + 2 * point + 1 < tokens {
                            sequence[target + dims] = y[source]
                        }
                    }
                }
            }
        }
    }
}
