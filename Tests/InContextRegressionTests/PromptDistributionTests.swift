import InContextRegression
import Kernels
import Testing

/// Out-of-distribution prompts by the definitions of Garg et al.'s public code.
@Suite struct PromptDistributionTests {
    private let linear = LinearFunction()

    private func sampled(
        _ distribution: PromptDistribution, examples: Int = 256, points: Int = 5, dims: Int = 4,
        first: Int = 0, functionClass: any FunctionClass = LinearFunction()
    ) -> PromptBatch {
        let batch = PromptBatch(
            examples: examples, points: points, dims: dims, functionClass: functionClass,
            draws: distribution.draws)
        batch.sample(
            functionClass, seed: 5, phase: .evaluation, firstExample: first,
            distribution: distribution)
        return batch
    }

    private func vectors(_ view: FloatView, dims: Int = 4) -> [[Double]] {
        stride(from: 0, to: view.count, by: dims).map {
            view.array[$0..<$0 + dims].map(Double.init)
        }
    }

    private func dot(_ a: [Double], _ b: [Double]) -> Double {
        zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
    }

    @Test func quadrants() {
        let standard = sampled(.standard)
        for (distribution, sign) in [
            (PromptDistribution.randomQuadrants, nil), (.oppositeQuadrants, Float(-1)),
        ] {
            let batch = sampled(distribution)
            var patterns: Set<[Bool]> = []
            for row in 0..<256 {
                let prompt = batch.rows(row..<row + 1)
                let x = prompt.inputs.array
                let pattern = x[0..<4].map { $0 > 0 }
                patterns.insert(pattern)
                #expect(x.enumerated().allSatisfy { ($1 > 0) == pattern[$0 % 4] })
                if let sign { #expect(prompt.queries.array == x.map { sign * $0 }) }
            }
            #expect(patterns.count == 16)
            #expect(batch.inputs.array.map(abs) == standard.inputs.array.map(abs))
            if sign == nil { #expect(batch.queries.array == standard.inputs.array) }
        }
    }

    @Test func orthogonalQueries() {
        let batch = sampled(.orthogonalQueries)
        for row in 0..<256 {
            let prompt = batch.rows(row..<row + 1)
            let (x, queries) = (vectors(prompt.inputs), vectors(prompt.queries))
            for k in 0..<4 {
                #expect(abs(dot(queries[k], queries[k]) - 4) < 1e-4)
                for example in x.prefix(k) { #expect(abs(dot(example, queries[k])) < 1e-4) }
                // The direction is that of the query before it was projected.
                #expect(dot(x[k], queries[k]) > 0)
            }
        }
        #expect(PromptDistribution.orthogonalQueries.contextCount(points: 5, dims: 4) == 4)
        #expect(PromptDistribution.skewed.contextCount(points: 5, dims: 4) == 5)
    }

    @Test func overlappingQueries() {
        let batch = sampled(.overlappingQueries, examples: 3000)
        var chosen = [Int](repeating: 0, count: 3)
        for row in 0..<3000 {
            let prompt = batch.rows(row..<row + 1)
            let (x, queries) = (vectors(prompt.inputs), vectors(prompt.queries))
            #expect(queries[0] == x[0])
            for k in 1..<5 { #expect(x.prefix(k).contains(queries[k])) }
            if let place = x.prefix(3).firstIndex(of: queries[3]) { chosen[place] += 1 }
            if row < 20 {
                #expect(prompt.queryLabels[1] == prompt.labels[0])
            }
        }
        #expect(chosen.allSatisfy { abs($0 - 1000) < 120 }, "\(chosen)")
    }

    /// The second moments of x have the eigenvalues asked for: Σ = S², trace d.
    @Test(arguments: [
        (PromptDistribution.halfSubspace, [2.0, 2, 0, 0]),
        (
            .skewed,
            [2.8097560975609754, 0.7024390243902439, 0.3121951219512195, 0.17560975609756097]
        ),
    ])
    func subspaces(_ distribution: PromptDistribution, _ eigenvalues: [Double]) {
        let batch = sampled(distribution, examples: 6_000)
        var moments = [Double](repeating: 0, count: 16)
        let all = vectors(batch.inputs)
        for x in all {
            for row in 0..<4 {
                for column in 0..<4 { moments[row * 4 + column] += x[row] * x[column] }
            }
        }
        moments = moments.map { $0 / Double(all.count) }
        // Traces of powers determine the eigenvalues.
        var power = moments
        for exponent in 1...3 {
            let trace = (0..<4).reduce(0) { $0 + power[$1 * 5] }
            let expected = eigenvalues.reduce(0) { sum, value in
                sum + (0..<exponent).reduce(1.0) { product, _ in product * value }
            }
            #expect(abs(trace / expected - 1) < 0.08, "power \(exponent): \(trace), \(expected)")
            power = product(power, moments)
        }
        // One rotation for the whole evaluation: a later part of it has the same.
        let later = sampled(distribution, examples: 2, first: 2)
        #expect(later.inputs.array == sampled(distribution, examples: 4).rows(2..<4).inputs.array)
    }

    /// a b of two 4 × 4 matrices.
    private func product(_ a: [Double], _ b: [Double]) -> [Double] {
        var result = [Double](repeating: 0, count: 16)
        for row in 0..<4 {
            for column in 0..<4 {
                for inner in 0..<4 {
                    result[row * 4 + column] += a[row * 4 + inner] * b[inner * 4 + column]
                }
            }
        }
        return result
    }

    @Test func scales() {
        let standard = sampled(.standard, functionClass: PolynomialFunction())
        let x = sampled(.scaledInputs(2), functionClass: PolynomialFunction())
        #expect(x.inputs.array == standard.inputs.array.map { 2 * $0 })
        #expect(x.base.array == standard.base.array.map { 2 * $0 })
        let y = sampled(.scaledLabels(3), functionClass: PolynomialFunction())
        #expect(y.inputs.array == standard.inputs.array)
        #expect(y.base.array == standard.base.array.map { 3 * $0 })
        #expect(y.labels.array == standard.labels.array.map { 3 * $0 })
    }

    /// All labels of 64 prompts have the class's own standard deviation; the noise in them has variance 1 before.
    @Test func noisyLabels() {
        let batch = sampled(.noisyLabels, examples: 128)
        let standard = sampled(.standard, examples: 128)
        for group in [0..<64, 64..<128] {
            let labels = batch.rows(group).labels.array.map(Double.init)
            let mean = labels.reduce(0, +) / 320
            let variance = labels.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 319
            #expect(abs(variance - 4) < 1e-3)
            let clean = standard.rows(group).labels.array.map(Double.init)
            // y' = s (f + ε): regression of y' on f gives s, what is left s² Var ε.
            let scale = dot(labels, clean) / dot(clean, clean)
            let rest = zip(labels, clean).reduce(0) {
                $0 + ($1.0 - scale * $1.1) * ($1.0 - scale * $1.1)
            }
            #expect(abs(rest / 320 / (scale * scale) - 1) < 0.3)
        }
    }

    @Test func names() throws {
        for distribution in PromptDistribution.all {
            #expect(try PromptDistribution.named(distribution.name) == distribution)
        }
        #expect(PromptDistribution.grid.count == 15)
        #expect(try PromptDistribution.named("scale-x=0.25") == .scaledInputs(0.25))
        #expect(PromptDistribution.scaledLabels(2).name == "scale-y=2")
        for name in ["scale-x=", "scale-x=0", "scale-y=nan", "scale-y=1e9", "skewd"] {
            let error = #expect(throws: UnknownNameError.self) {
                try PromptDistribution.named(name)
            }
            #expect(
                error?.description.hasPrefix("unknown distribution of prompts '\(name)'") == true)
        }
    }
}
