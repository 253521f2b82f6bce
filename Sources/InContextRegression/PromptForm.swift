import Kernels

/// One token sequence of a layout: which labels it predicts, how long it is and where it predicts them.
///
/// The last label is left out, because no query comes after it.
public struct PromptForm: Sendable, Hashable {
    /// Which labels of part B are predicted, and so carry loss.
    public enum Prediction: Sendable, Hashable {
        /// All n, each from what stands before it.
        case everyQuery
        /// The one after k examples; part B ends there.
        case query(Int)
        /// The one after ``PromptBatch/contextLengths`` examples; shorter sequences are filled up with zeros, which
        /// nothing before them sees.
        case drawnQuery
    }

    /// What the sequence looks like.
    public let layout: PromptLayout
    /// n
    public let points: Int
    /// Which labels are predicted.
    public let prediction: Prediction

    init(layout: PromptLayout, points: Int, prediction: Prediction) {
        precondition(points >= 1, "a prompt has one point or more, not \(points)")
        switch prediction {
        case .everyQuery: precondition(!layout.predictsOneLabel)
        case .query(let k): precondition((0..<points).contains(k), "no query \(k) of \(points)")
        case .drawnQuery: precondition(layout.predictsOneLabel)
        }
        self.layout = layout
        self.points = points
        self.prediction = prediction
    }

    /// T, without the last label.
    public var tokenCount: Int {
        switch prediction {
        case .everyQuery, .drawnQuery: queryToken(points - 1) + 1
        case .query(let k): queryToken(k) + 1
        }
    }

    /// Labels predicted in each sequence.
    public var predictionCount: Int { prediction == .everyQuery ? points : 1 }

    /// The tokens where labels are predicted, with the k each belongs to.
    public var queryTokens: [(contextLength: Int, token: Int)] {
        switch prediction {
        case .query(let k): [(k, queryToken(k))]
        case .everyQuery, .drawnQuery: (0..<points).map { ($0, queryToken($0)) }
        }
    }

    /// The tokens where the point stands whose label is predicted after k examples: in part B, and in part A where that
    /// shows the point.
    public func places(ofQuery k: Int) -> [Int] {
        let pairs = prefixPairs(k)
        let stands = layout.prefix?.inputs == .points && k < pairs
        return (stands ? [2 * k] : []) + [queryToken(k)]
    }

    /// What it draws beside points and tasks.
    public var draws: PromptDraws {
        prediction == .drawnQuery ? layout.draws.union(.contextLength) : layout.draws
    }

    /// Where x_{k+1} stands in part B.
    private func queryToken(_ k: Int) -> Int { 2 * prefixPairs(k) + 2 * k }

    private func prefixPairs(_ k: Int) -> Int {
        layout.prefix?.pairCount(points: points, contextLength: k) ?? 0
    }

    /// Writes a batch as token sequences with the targets and weights of its loss
    /// Σ weight · (prediction − target)².
    ///
    /// A token is a vector in R^d: x itself, or (y, 0, …, 0) for a label y. A weight is `lossScale` at
    /// predicted labels and 0 elsewhere, where the target is 0 too; `lossScale` = 1 / (B · predictions), with B the
    /// whole batch, makes the weighted sum the mean squared error. A single query takes the place of its point in part
    /// A too.
    ///
    /// - Parameters:
    ///   - batch: b prompts of n points in d dimensions.
    ///   - inputs: [b, T, d], overwritten.
    ///   - targets: [b, T], overwritten.
    ///   - weights: [b, T], overwritten.
    ///   - lossScale: the weight of one predicted label.
    public func write(
        _ batch: PromptBatch, inputs: FloatView, targets: FloatView, weights: FloatView,
        lossScale: Float
    ) {
        let rows = batch.exampleCount * tokenCount
        precondition(
            batch.points == points && inputs.count == rows * batch.dims && targets.count == rows
                && weights.count == rows,
            "\(batch.exampleCount) prompts of \(tokenCount) tokens in \(batch.dims) dimensions do not "
                + "fit \(inputs.count) inputs, \(targets.count) targets, \(weights.count) weights")
        precondition(
            batch.draws.isSuperset(of: draws)
                && (prediction != .everyQuery || !batch.draws.contains(.queries)),
            "the batch was not drawn for \(layout.name)")
        inputs.fill(0)
        targets.fill(0)
        weights.fill(0)
        for row in 0..<batch.exampleCount {
            let prompt = batch.rows(row..<row + 1)
            let first = row * tokenCount
            let sequence = inputs[first * batch.dims..<(first + tokenCount) * batch.dims]
            func predict(_ k: Int) {
                targets[first + queryToken(k)] = prompt.queryLabels[k]
                weights[first + queryToken(k)] = lossScale
            }
            switch prediction {
            case .everyQuery:
                write(prompt, query: nil, sequence)
                for k in 0..<points { predict(k) }
            case .query(let k):
                write(prompt, query: k, sequence)
                predict(k)
            case .drawnQuery:
                let k = Int(prompt.contextLengths[0])
                write(prompt, query: k, sequence)
                predict(k)
            }
        }
    }

    /// Writes the tokens of a single prompt that ends with the query after k examples, or with the last point.
    private func write(_ prompt: PromptBatch, query: Int?, _ sequence: FloatView) {
        let last = query ?? points - 1
        let pairs = prefixPairs(last)
        if let prefix = layout.prefix {
            for place in 0..<pairs {
                let shown = place == query ? prompt.queryPoints : prompt.examples
                sequence.write(
                    prefix.inputs == .fresh ? prompt.fresh : shown, place,
                    label: prefixLabel(prefix, prompt, place, query: query), at: 2 * place)
            }
        }
        for place in 0..<last {
            sequence.write(
                prompt.examples, place, label: prompt.labels[place], at: 2 * (pairs + place))
        }
        sequence.write(prompt.queryPoints, last, label: nil, at: 2 * (pairs + last))
    }

    private func prefixLabel(
        _ prefix: PromptPrefix, _ prompt: PromptBatch, _ place: Int, query: Int?
    ) -> Float {
        switch prefix.labels {
        case .noise: return prompt.noise[place]
        case .base where prefix.inputs == .fresh: return prompt.fresh.base[place]
        case .base: return place == query ? prompt.queryBase[place] : prompt.base[place]
        case .shuffledBase:
            let other = Int(prompt.permutations[place])
            return other == query ? prompt.queryBase[other] : prompt.base[other]
        }
    }
}

extension FloatView {
    /// Writes the input of a point, and a label after it, at `token` of a zeroed sequence [T, d].
    fileprivate func write(_ points: PromptPoints, _ place: Int, label: Float?, at token: Int) {
        let dims = points.inputs.count / points.labels.count
        self[token * dims..<(token + 1) * dims]
            .copy(from: points.inputs[place * dims..<(place + 1) * dims])
        if let label { self[(token + 1) * dims] = label }
    }
}
