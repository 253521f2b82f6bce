import Foundation
import Kernels
import Randomness

extension PromptDistribution {
    /// Moves the standard normal inputs of a batch to where this distribution has them, and makes its queries.
    func place(_ batch: PromptBatch, seed: UInt64, phase: PromptPhase, firstExample: Int) {
        switch self {
        case .standard, .scaledLabels, .noisyLabels: break
        case .scaledInputs(let scale):
            for inputs in batch.allInputs { inputs.scale(by: Float(scale)) }
        case .halfSubspace, .skewed:
            let matrix = transformation(dims: batch.dims, seed: seed, phase: phase)
            for inputs in batch.allInputs { inputs.multiplyRows(by: matrix, dims: batch.dims) }
        case .randomQuadrants, .oppositeQuadrants, .orthogonalQueries, .overlappingQueries:
            for row in 0..<batch.exampleCount {
                let prompt = batch.rows(row..<row + 1)
                var generator = CounterGenerator(
                    phase.keys(seed: seed, example: firstExample + row).draw)
                prompt.queries.copy(from: prompt.inputs)
                placeQueries(of: prompt, &generator)
            }
        }
    }

    /// The queries of a single prompt, which are the examples so far.
    private func placeQueries(of prompt: PromptBatch, _ generator: inout CounterGenerator) {
        let dims = prompt.dims
        switch self {
        case .randomQuadrants, .oppositeQuadrants:
            let signs = (0..<dims).map { _ in generator.integer(below: 2) == 0 ? Float(-1) : 1 }
            for place in 0..<prompt.inputs.count {
                prompt.inputs[place] = abs(prompt.inputs[place]) * signs[place % dims]
                if self == .oppositeQuadrants { prompt.queries[place] = -prompt.inputs[place] }
            }
        case .overlappingQueries:
            for k in 1..<max(prompt.points, 1) {
                let chosen = generator.integer(below: k)
                prompt.queries[k * dims..<(k + 1) * dims]
                    .copy(from: prompt.inputs[chosen * dims..<(chosen + 1) * dims])
            }
        case .orthogonalQueries: makeQueriesOrthogonal(prompt)
        default: break
        }
    }

    /// Takes the part of every query along the examples before it away and scales the rest to length √d; from k = d on
    /// nothing is left and the query stays.
    private func makeQueriesOrthogonal(_ prompt: PromptBatch) {
        let dims = prompt.dims
        var basis: [[Double]] = []
        for k in 0..<min(prompt.points, dims) {
            let row = prompt.queries[k * dims..<(k + 1) * dims]
            let rest = orthogonalPart(of: row.array.map(Double.init), to: basis)
            let length = rest.reduce(0) { $0 + $1 * $1 }.squareRoot()
            // The example itself is the query before it is projected: its own direction joins the basis.
            basis.append(rest.map { $0 / length })
            row.copy(from: rest.map { Float($0 / length * Double(dims).squareRoot()) })
        }
    }

    /// S, symmetric with this distribution's eigenvalues in a random basis and Σ eigenvalue² = d: [d, d].
    private func transformation(dims: Int, seed: UInt64, phase: PromptPhase) -> [Double] {
        let eigenvalues = (0..<dims).map { index in
            self == .skewed ? 1 / Double(index + 1) : index < max(dims / 2, 1) ? 1 : 0
        }
        let squares = eigenvalues.reduce(0) { $0 + $1 * $1 }
        let scale = (Double(dims) / squares).squareRoot()
        // A key that no prompt has: the last of all examples.
        var normals = [Float](repeating: 0, count: dims * dims)
        var span = normals.mutableSpan
        phase.keys(seed: seed, example: Int(UInt32.max)).draw.fillNormals(&span)
        var basis: [[Double]] = []
        for row in 0..<dims {
            let vector = normals[row * dims..<(row + 1) * dims].map(Double.init)
            let rest = orthogonalPart(of: vector, to: basis)
            let length = rest.reduce(0) { $0 + $1 * $1 }.squareRoot()
            basis.append(rest.map { $0 / length })
        }
        var matrix = [Double](repeating: 0, count: dims * dims)
        for (vector, eigenvalue) in zip(basis, eigenvalues) {
            for row in 0..<dims {
                for column in 0..<dims {
                    matrix[row * dims + column] += scale * eigenvalue * vector[row] * vector[column]
                }
            }
        }
        return matrix
    }

    /// Scales labels or adds noise to them, the class's own noise included.
    func spoilLabels(_ batch: PromptBatch, of functionClass: any FunctionClass) {
        let deviation = self == .noisyLabels ? 1 : functionClass.labelNoise
        if deviation > 0 {
            for place in 0..<batch.labels.count {
                batch.labels[place] += deviation * batch.labelNoise[place]
            }
            if batch.draws.contains(.queries) {
                for place in 0..<batch.queryLabels.count {
                    batch.queryLabels[place] += deviation * batch.labelNoise[place]
                }
            }
        }
        if case .scaledLabels(let scale) = self {
            let queries = batch.separateQueries
            for labels in [
                batch.base, batch.labels, queries.base, queries.labels, batch.fresh.base,
                batch.fresh.labels,
            ] {
                labels.scale(by: Float(scale))
            }
        }
        if self == .noisyLabels {
            let spread = functionClass.zeroPredictorError(dims: batch.dims).squareRoot()
            for first in stride(from: 0, to: batch.exampleCount, by: groupSize) {
                let rows = first..<min(first + groupSize, batch.exampleCount)
                let labels = batch.labels[
                    rows.lowerBound * batch.points..<rows.upperBound * batch.points]
                labels.scale(by: Float(spread / labels.standardDeviation))
            }
        }
    }
}

/// What is left of `vector` without its parts along the orthonormal `basis`; projected twice, which is as orthogonal
/// as rounding allows.
private func orthogonalPart(of vector: [Double], to basis: [[Double]]) -> [Double] {
    var rest = vector
    for _ in 0..<2 {
        for direction in basis {
            let product = zip(rest, direction).reduce(0) { $0 + $1.0 * $1.1 }
            for index in rest.indices { rest[index] -= product * direction[index] }
        }
    }
    return rest
}

extension PromptBatch {
    /// The inputs of all parts that are N(0, I).
    fileprivate var allInputs: [FloatView] { [inputs, fresh.inputs] }
}

extension FloatView {
    fileprivate func scale(by factor: Float) {
        for index in 0..<count { self[index] *= factor }
    }

    /// Every row of length `dims` times the symmetric `matrix`.
    fileprivate func multiplyRows(by matrix: [Double], dims: Int) {
        for first in stride(from: 0, to: count, by: dims) {
            let row = self[first..<first + dims]
            let old = row.array.map(Double.init)
            for column in 0..<dims {
                var sum = 0.0
                for index in 0..<dims { sum += old[index] * matrix[column * dims + index] }
                row[column] = Float(sum)
            }
        }
    }

    /// √(Σ (v − mean)² / (n − 1))
    fileprivate var standardDeviation: Double {
        let values = array.map(Double.init)
        let mean = values.reduce(0, +) / Double(count)
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (squares / Double(max(count - 1, 1))).squareRoot()
    }
}
