import Foundation
import InContextRegression
import Kernels
import Testing

/// Posterior means and variances against the labels they are of, closed forms and independent computations.
@Suite struct BayesPredictorTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let prefix: PrefixInformation
        var testDescription: String { "\(name), \(prefix)" }
    }

    static let dims = 4
    static let points = 7

    static let cases: [Case] = [
        "linear", "polynomial", "multilinear", "relu", "sigmoid", "tanh", "proddot",
        "sparse_linear", "noisy_linear", "quadratic",
    ].flatMap { name in
        [.nothing, .contextBaseLabels, .firstBaseLabels(points), .firstBaseLabels(2)]
            .filter { name != "proddot" || $0 != .nothing }
            .map { Case(name: name, prefix: $0) }
    }

    /// (g − mean)² has the posterior variance as its expectation, and that has the closed form.
    @Test(arguments: cases)
    func calibrated(_ test: Case) throws {
        let functionClass = try FunctionClasses.named(test.name)
        let made = functionClass.bayesPredictor(dims: Self.dims, prefix: test.prefix)
        let predictor = try #require(made)
        let batch = PromptBatch(
            examples: 2000, points: Self.points, dims: Self.dims, functionClass: functionClass)
        batch.sample(functionClass, seed: 51, phase: .evaluation, firstExample: 0)
        let posteriors = posteriors(predictor, batch)
        for k in 0..<Self.points where predictor.covers(contextLength: k) {
            let rows = 0..<batch.exampleCount
            let variances = rows.map { Float(posteriors.variances[$0 * Self.points + k]) }
            let differences = rows.map { row in
                let place = row * Self.points + k
                let miss = Double(batch.labels[place]) - posteriors.means[place]
                return Float(miss * miss - posteriors.variances[place])
            }
            #expect(variances.allSatisfy { $0 >= 0 && $0.isFinite })
            let (difference, error) = meanAndStandardError(differences)
            // 10⁻⁴ for labels that are rounded to Float.
            #expect(abs(difference) < 4 * error + 1e-4, "k = \(k): \(difference) ± \(error)")
            let knowledge = test.prefix.knowledge(contextLength: k, dims: Self.dims)
            if let closed = functionClass.bayesError(
                contextLength: k, dims: Self.dims, knowledge: knowledge)
            {
                let (mean, error) = meanAndStandardError(variances)
                #expect(abs(mean - closed) < 4 * error + 1e-4, "k = \(k): \(mean), \(closed)")
            }
        }
    }

    /// The calibration test sees every k it should.
    @Test func whatIsCovered() throws {
        let covered = { (name: String, prefix: PrefixInformation, dims: Int, points: Int) in
            let predictor = try FunctionClasses.named(name).bayesPredictor(
                dims: dims, prefix: prefix)
            return (0..<points).filter { predictor?.covers(contextLength: $0) ?? false }
        }
        let all = Array(0..<41)
        for test in Self.cases where !["polynomial", "proddot"].contains(test.name) {
            #expect(try covered(test.name, test.prefix, 20, 41) == all, "\(test)")
            #expect(try covered(test.name, .freshBaseLabels(5), 20, 41) == [])
            #expect(try covered(test.name, .shuffledBaseLabels, 20, 41) == [])
            #expect(try covered(test.name, .freshBaseLabels(20), 20, 41) == all)
        }
        #expect(try covered("polynomial", .nothing, 20, 41) == Array(0...10))
        #expect(try covered("polynomial", .nothing, 10, 41) == all)
        #expect(try covered("polynomial", .nothing, 5, 41) == all)
        #expect(try covered("polynomial", .firstBaseLabels(3), 20, 41) == Array(0...13))
        #expect(try covered("polynomial", .firstBaseLabels(41), 20, 41) == all)
        #expect(try covered("polynomial", .contextBaseLabels, 20, 41) == all)
        #expect(try covered("proddot", .nothing, 5, 9) == [])
        #expect(try covered("proddot", .firstBaseLabels(3), 5, 9) == [0, 1, 2, 3])
        #expect(try covered("proddot", .contextBaseLabels, 20, 41) == all)
        #expect(try covered("sparse_linear", .nothing, 21, 41) == [])
        #expect(try covered("two_layer_relu", .nothing, 5, 9) == [])
        #expect(try covered("decision_tree", .nothing, 5, 9) == [])
    }

    /// What is not covered is not touched.
    @Test func entriesThatAreNotCoveredStay() throws {
        let functionClass = PolynomialFunction()
        let batch = PromptBatch(examples: 3, points: 14, dims: 12, functionClass: functionClass)
        batch.sample(functionClass, seed: 5, phase: .evaluation, firstExample: 0)
        let made = functionClass.bayesPredictor(dims: 12, prefix: .nothing)
        let predictor = try #require(made)
        let found = posteriors(predictor, batch)
        for place in found.means.indices {
            let covered = place % 14 <= 10
            #expect(found.means[place].isNaN != covered && found.variances[place].isNaN != covered)
        }
    }

    /// All 2ᵏ patterns by the inverse of XXᵀ.
    @Test(arguments: [(3, 3), (5, 4)])
    func polynomialPatternsByBruteForce(dims: Int, most: Int) throws {
        let functionClass = PolynomialFunction()
        let batch = PromptBatch(
            examples: 60, points: most + 1, dims: dims, functionClass: functionClass)
        batch.sample(functionClass, seed: 61, phase: .evaluation, firstExample: 0)
        let made = functionClass.bayesPredictor(dims: dims, prefix: .nothing)
        let found = posteriors(try #require(made), batch)
        for row in 0..<batch.exampleCount {
            let prompt = batch.rows(row..<row + 1)
            let x = prompt.inputs.array.map(Double.init)
            let y = prompt.labels.array.map(Double.init)
            for k in 0...most {
                let (mean, variance) = bruteForce(
                    (0...k).map { Array(x[$0 * dims..<($0 + 1) * dims]) }, Array(y[..<k]))
                let place = row * (most + 1) + k
                let scale = 1 + abs(mean) + variance
                #expect(abs(found.means[place] - mean) < 1e-5 * scale, "prompt \(row), k = \(k)")
                #expect(
                    abs(found.variances[place] - variance) < 1e-4 * scale * scale,
                    "prompt \(row), k = \(k): \(found.variances[place]), \(variance)")
            }
        }
    }

    /// The posterior of f + f² at the last of `points` given y at the others.
    private func bruteForce(_ points: [[Double]], _ y: [Double]) -> (Double, Double) {
        let k = y.count
        let gram = (0...k).map { i in (0...k).map { j in dot(points[i], points[j]) } }
        let inverse = inverse((0..<k).map { Array(gram[$0][..<k]) })
        let cross = Array(gram[k][..<k])
        let gain = inverse.map { dot($0, cross) }
        let s = gram[k][k] - dot(gain, cross)
        var (total, first, second) = (0.0, 0.0, 0.0)
        for pattern in 0..<1 << k {
            let u = (0..<k).map { index in
                let root = max(1 + 4 * y[index], 0).squareRoot()
                return (-1 + (pattern >> index & 1 == 0 ? root : -root)) / 2
            }
            let weight = exp(-dot(u, inverse.map { dot($0, u) }) / 2)
            let m = dot(gain, u)
            total += weight
            first += weight * (m + m * m + s)
            // E[f²] + 2E[f³] + E[f⁴]
            second += weight * (m * m + s + 2 * (m * m * m + 3 * m * s))
            second += weight * (m * m * m * m + 6 * m * m * s + 3 * s * s)
        }
        let mean = first / total
        return (mean, second / total - mean * mean)
    }

    /// By Gauss–Jordan elimination; pivots of a Gram matrix are positive.
    private func inverse(_ matrix: [[Double]]) -> [[Double]] {
        let n = matrix.count
        var rows = (0..<n).map { i in matrix[i] + (0..<n).map { $0 == i ? 1 : 0 } }
        for pivot in 0..<n {
            let scale = rows[pivot][pivot]
            rows[pivot] = rows[pivot].map { $0 / scale }
            for other in 0..<n where other != pivot {
                let factor = rows[other][pivot]
                rows[other] = zip(rows[other], rows[pivot]).map { $0 - factor * $1 }
            }
        }
        return rows.map { Array($0[n...]) }
    }

    private func dot(_ a: [Double], _ b: [Double]) -> Double {
        zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
    }

    /// Bayes error and the excess risk of predicting 0 on `polynomial`, d = 5, k = 3: by posterior and by plain
    /// differences the same, with far less spread by posterior.
    @Test func posteriorsSpreadLessThanPlainDifferences() throws {
        let functionClass = PolynomialFunction()
        let batch = PromptBatch(examples: 10_000, points: 4, dims: 5, functionClass: functionClass)
        batch.sample(functionClass, seed: 71, phase: .evaluation, firstExample: 0)
        let made = functionClass.bayesPredictor(dims: 5, prefix: .nothing)
        let found = posteriors(try #require(made), batch)
        let places = stride(from: 3, to: batch.labels.count, by: 4)
        let plain = places.map { place in
            let miss = Double(batch.labels[place]) - found.means[place]
            return Float(miss * miss)
        }
        let (plainMean, plainError) = meanAndStandardError(plain)
        let (mean, error) = meanAndStandardError(places.map { Float(found.variances[$0]) })
        #expect(abs(mean - plainMean) < 4 * plainError)
        #expect(error < 0.5 * plainError, "\(mean) ± \(error), \(plainMean) ± \(plainError)")
        let excess = places.map { place in
            batch.labels[place] * batch.labels[place] - plain[place / 4]
        }
        let (plainExcess, plainExcessError) = meanAndStandardError(excess)
        let (risk, riskError) = meanAndStandardError(
            places.map { Float(found.means[$0] * found.means[$0]) })
        #expect(abs(risk - plainExcess) < 4 * plainExcessError)
        #expect(riskError < plainExcessError)
    }

    /// Ridge in one dimension: w has precision 1 + Σx².
    @Test func noisyLinearInOneDimension() throws {
        let functionClass = NoisyLinearFunction()
        let batch = PromptBatch(examples: 1, points: 3, dims: 1, functionClass: functionClass)
        batch.inputs.copy(from: [1, 2, 3])
        batch.labels.copy(from: [5, -1, 0])
        let made = functionClass.bayesPredictor(dims: 1, prefix: .nothing)
        let found = posteriors(try #require(made), batch)
        for (value, expected) in zip(found.means, [0, 2 * 2.5, 3 * 3.0 / 6]) {
            #expect(abs(value - expected) < 1e-12)
        }
        for (value, expected) in zip(found.variances, [2, 1 + 4 / 2.0, 1 + 9 / 6.0]) {
            #expect(abs(value - expected) < 1e-12)
        }
    }

    /// After one example of d = 4: four choices of places with their Gaussian densities.
    @Test func sparsePlacesByHand() throws {
        let functionClass = SparseLinearFunction()
        let batch = PromptBatch(examples: 1, points: 2, dims: 4, functionClass: functionClass)
        let (x, query): ([Double], [Double]) = ([1, 2, -1, 0.5], [2, 1, 1, -3])
        batch.inputs.copy(from: (x + query).map { Float($0) })
        batch.labels.copy(from: [1.5, 0])
        var (total, first, second) = (0.0, 0.0, 0.0)
        for missing in 0..<4 {
            let places = (0..<4).filter { $0 != missing }
            let square = places.reduce(0) { $0 + x[$1] * x[$1] }
            let product = places.reduce(0) { $0 + x[$1] * query[$1] }
            let weight = exp(-1.5 * 1.5 / (2 * square)) / square.squareRoot()
            let mean = product * 1.5 / square
            let variance =
                places.reduce(0) { $0 + query[$1] * query[$1] } - product * product / square
            total += weight
            first += weight * mean
            second += weight * (variance + mean * mean)
        }
        let made = functionClass.bayesPredictor(dims: 4, prefix: .nothing)
        let found = posteriors(try #require(made), batch)
        #expect(abs(found.means[1] - first / total) < 1e-12)
        let variance = second / total - first / total * first / total
        #expect(abs(found.variances[1] - variance) < 1e-12)
        #expect(found.means[0] == 0 && abs(found.variances[0] - 0.75 * 6.25) < 1e-12)
    }

    /// Up to three dimensions every coordinate is drawn, as for `linear`.
    @Test(arguments: [1, 2, 3])
    func sparseIsLinearInFewDimensions(dims: Int) throws {
        let sparse = SparseLinearFunction()
        let batch = PromptBatch(examples: 50, points: 5, dims: dims, functionClass: sparse)
        batch.sample(sparse, seed: 81, phase: .evaluation, firstExample: 0)
        let made = sparse.bayesPredictor(dims: dims, prefix: .nothing)
        let found = posteriors(try #require(made), batch)
        let other = LinearFunction().bayesPredictor(dims: dims, prefix: .nothing)
        let linear = posteriors(try #require(other), batch)
        for place in found.means.indices {
            #expect(abs(found.means[place] - linear.means[place]) < 1e-3)
            #expect(abs(found.variances[place] - linear.variances[place]) < 1e-9)
        }
    }

    /// Means and variances of every prompt: [b, n]; NaN where they were not written.
    private func posteriors(
        _ predictor: any BayesPredictor, _ batch: PromptBatch
    ) -> (means: [Double], variances: [Double]) {
        var all: (means: [Double], variances: [Double]) = ([], [])
        for row in 0..<batch.exampleCount {
            var means = [Double](repeating: .nan, count: batch.points)
            var variances = means
            var meanSpan = means.mutableSpan
            var varianceSpan = variances.mutableSpan
            predictor.posterior(
                of: batch.rows(row..<row + 1), means: &meanSpan, variances: &varianceSpan)
            all.means += means
            all.variances += variances
        }
        return all
    }
}
