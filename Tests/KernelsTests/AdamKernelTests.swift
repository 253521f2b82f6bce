import Kernels
import TestSupport
import Testing

/// Adam and AdamW against the formulas in double precision.
@Suite struct AdamKernelTests {
    struct Options: CustomStringConvertible {
        var weightDecay = 0.0
        var decoupled = false
        var gradientScale = 1.0
        var description: String {
            "decay \(weightDecay), decoupled \(decoupled), gradient scale \(gradientScale)"
        }
    }

    static let options = [
        Options(), Options(weightDecay: 0.1), Options(weightDecay: 0.1, decoupled: true),
        Options(gradientScale: 0.3),
        Options(weightDecay: 0.2, decoupled: true, gradientScale: 0.01),
        Options(weightDecay: 0.2, gradientScale: 0.5),
    ]

    @Test func tenUpdatesEqualTheFormulas() {
        for count in [1, 3, 15, 16, 17, 37, 64] {
            for options in Self.options {
                var generator = TestGenerator(seed: 29)
                let start = generator.normals(count)
                let parameters = Guarded(start)
                let first = Guarded([Float](repeating: 0, count: count))
                let second = Guarded([Float](repeating: 0, count: count))
                var expected = NaiveAdam(start.doubles)
                for number in 1...10 {
                    let gradients = generator.normals(count)
                    adamUpdate(
                        parameters: parameters.view, firstMoment: first.view,
                        secondMoment: second.view, gradients: Guarded(gradients).view,
                        step: AdamStep(
                            number: number, learningRate: 0.05, beta1: 0.9, beta2: 0.999,
                            epsilon: 1e-8, weightDecay: options.weightDecay,
                            decoupled: options.decoupled, gradientScale: options.gradientScale))
                    expected.update(
                        gradients.doubles, learningRate: 0.05, weightDecay: options.weightDecay,
                        decoupled: options.decoupled, gradientScale: options.gradientScale)
                }
                // A handful of roundings each step, relative to numbers of order 1 (parameters) or to the
                // largest moment.
                for (name, found, wanted) in [
                    ("p", parameters, expected.parameters), ("m", first, expected.first),
                    ("v", second, expected.second),
                ] {
                    let close = closeness(
                        found.view.doubles, wanted, relative: 3e-6, scale: .largest)
                    #expect(close.isWithin, "\(name) of \(count), \(options): \(close)")
                    #expect(found.isIntact)
                }
            }
        }
    }

    /// After t updates of one constant gradient the bias corrections cancel: p falls by η at every step.
    @Test func aConstantGradientMovesByTheLearningRate() {
        let parameters = FloatView([1, 1, 1])
        let first = FloatView(zeros: 3)
        let second = FloatView(zeros: 3)
        let gradients = FloatView([4, -0.01, 1e5])
        for number in 1...20 {
            adamUpdate(
                parameters: parameters, firstMoment: first, secondMoment: second,
                gradients: gradients,
                step: AdamStep(
                    number: number, learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8,
                    weightDecay: 0, decoupled: false, gradientScale: 1))
        }
        let close = closeness(parameters.array, [0.8, 1.2, 0.8], relative: 2e-6)
        #expect(close.isWithin, "\(close)")
    }

    @Test func aZeroGradientLeavesFreshParametersAlone() {
        let start: [Float] = [1, -2, 0, 3.5]
        let parameters = FloatView(start)
        adamUpdate(
            parameters: parameters, firstMoment: FloatView(zeros: 4),
            secondMoment: FloatView(zeros: 4), gradients: FloatView(zeros: 4),
            step: AdamStep(
                number: 1, learningRate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8,
                weightDecay: 0, decoupled: true, gradientScale: 1))
        #expect(parameters.array == start)
    }
}
