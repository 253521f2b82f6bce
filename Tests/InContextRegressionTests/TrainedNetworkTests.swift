import Foundation
import Randomness
import TestSupport
import Testing

@testable import InContextRegression

/// The two-layer network: its gradient, its training against a plain program, and what it depends on.
@Suite struct TrainedNetworkTests {
    /// The slope of the loss along a random direction, against central differences; nine examples leave a vector of
    /// four partly empty.
    @Test func gradientAgreesWithDifferences() {
        for seed in UInt64(0)..<3 {
            let dims = 3
            var network = TwoLayerNetwork(dims: dims, hidden: 8, examples: 9)
            let prompt = samplePrompt(PolynomialFunction(), points: 9, dims: dims, seed: seed)
            let x = prompt.inputs.array
            for point in 0..<9 {
                network.add(
                    x.span.extracting(point * dims..<(point + 1) * dims),
                    label: Double(prompt.labels[point]))
            }
            network.initialize(RandomKey(seed: seed, stream: .initialization))
            network.computeGradient()
            var generator = TestGenerator(seed: seed)
            let origin = network.parameters
            let direction = origin.map { _ in
                SIMD4<Double>(
                    generator.normal(), generator.normal(), generator.normal(), generator.normal())
            }
            let analytic = zip(network.gradient, direction).reduce(0.0) {
                $0 + ($1.0 * $1.1).sum()
            }
            func loss(_ step: Double) -> Double {
                network.parameters = zip(origin, direction).map { $0 + step * $1 }
                return network.computeGradient()
            }
            let numeric = (loss(1e-6) - loss(-1e-6)) / 2e-6
            #expect(abs(numeric - analytic) < 1e-6 * abs(analytic), "\(numeric), \(analytic)")
        }
    }

    /// Six hidden units leave a vector partly empty too; every k is its own network.
    @Test func trainingAgreesWithAPlainProgram() {
        let prompt = samplePrompt(LinearFunction(), points: 7, dims: 3, seed: 5)
        let (x, y) = (prompt.inputs.array, prompt.labels.array)
        let found = predictions(TrainedNetwork(hidden: 6, steps: 30), x: x, y: y)
        #expect(found[0] == 0)
        let seed = TrainedNetwork.seed(x.span.extracting(first: 3))
        for k in 1..<7 {
            let key = RandomKey(seed: seed, stream: .initialization, step: k)
            var plain = PlainNetwork(key, dims: 3, hidden: 6)
            let rows = (0...k).map { x[$0 * 3..<$0 * 3 + 3].map(Double.init) }
            let labels = y.prefix(k).map(Double.init)
            for step in 1...30 { plain.step(rows, labels, step) }
            let expected = plain.output(rows[k])
            #expect(abs(found[k] - expected) < 1e-9, "k = \(k): \(found[k]), \(expected)")
        }
    }

    /// With 100 units and 100 steps it fits what it has seen: asked again, it gives the labels back.
    @Test func fitsItsExamples() {
        let prompt = samplePrompt(LinearFunction(), points: 6, dims: 5, seed: 9)
        let (x, y) = (prompt.inputs.array, prompt.labels.array)
        for seen in 0..<5 {
            var queries = x
            queries.replaceSubrange(25..<30, with: x[seen * 5..<(seen + 1) * 5])
            let found = predictions(TrainedNetwork(), x: x, y: y, queries: queries)[5]
            #expect(abs(found - Double(y[seen])) < 0.2 * max(1, abs(Double(y[seen]))))
        }
    }

    /// The same numbers every time, at the beginning of a longer prompt too; another first input draws others.
    @Test func networksBelongToTheirPrompt() {
        let prompt = samplePrompt(LinearFunction(), points: 5, dims: 2, seed: 1)
        let (x, y) = (prompt.inputs.array, prompt.labels.array)
        let all = predictions(TrainedNetwork(), x: x, y: y)
        let short = predictions(TrainedNetwork(), x: Array(x.prefix(6)), y: Array(y.prefix(3)))
        #expect(short == Array(all.prefix(3)))
        let other: [Float] = [0.5, 0.25]
        #expect(
            TrainedNetwork.seed(x.span.extracting(first: 2)) != TrainedNetwork.seed(other.span))
    }
}

/// The network and Adam with one number at a time.
private struct PlainNetwork {
    private let dims: Int
    private let hidden: Int
    /// W₁ row by row, b₁, W₂, b₂.
    private var parameters: [Double]
    private var first: [Double]
    private var second: [Double]

    init(_ key: RandomKey, dims: Int, hidden: Int) {
        self.dims = dims
        self.hidden = hidden
        var uniforms = [Float](repeating: 0, count: hidden * (dims + 2) + 1)
        var span = uniforms.mutableSpan
        key.fillUniforms(&span)
        let inner = hidden * (dims + 1)
        parameters = uniforms.enumerated().map { place, uniform in
            (2 * Double(uniform) - 1) / Double(place < inner ? dims : hidden).squareRoot()
        }
        first = parameters.map { _ in 0 }
        second = first
    }

    private func unit(_ index: Int, _ x: [Double]) -> Double {
        var sum = parameters[hidden * dims + index]
        for coordinate in 0..<dims { sum += parameters[index * dims + coordinate] * x[coordinate] }
        return max(sum, 0)
    }

    func output(_ x: [Double]) -> Double {
        (0..<hidden).reduce(parameters[hidden * (dims + 2)]) {
            $0 + parameters[hidden * (dims + 1) + $1] * unit($1, x)
        }
    }

    /// One step on the mean squared error of as many rows as there are labels.
    mutating func step(_ rows: [[Double]], _ labels: [Double], _ number: Int) {
        var gradient = parameters.map { _ in 0.0 }
        for (x, label) in zip(rows, labels) {
            let error = 2 * (output(x) - label) / Double(labels.count)
            gradient[hidden * (dims + 2)] += error
            for index in 0..<hidden where unit(index, x) > 0 {
                let inner = error * parameters[hidden * (dims + 1) + index]
                gradient[hidden * (dims + 1) + index] += error * unit(index, x)
                gradient[hidden * dims + index] += inner
                for coordinate in 0..<dims {
                    gradient[index * dims + coordinate] += inner * x[coordinate]
                }
            }
        }
        for place in parameters.indices {
            first[place] = 0.9 * first[place] + 0.1 * gradient[place]
            second[place] = 0.999 * second[place] + 0.001 * gradient[place] * gradient[place]
            let mean = first[place] / (1 - pow(0.9, Double(number)))
            let square = second[place] / (1 - pow(0.999, Double(number)))
            parameters[place] -= 5e-3 * mean / (square.squareRoot() + 1e-8)
        }
    }
}
