import KernelCases
import Kernels
import TestSupport
import Testing

/// The forward pass of a declared kernel in double precision.
typealias KernelTwin = @Sendable ([[Double]]) -> [[Double]]

/// A declared kernel and its naive twin.
struct CheckedKernel: Sendable {
    let declared: KernelCase
    let twin: KernelTwin
    /// What becomes of the random inputs before both see them: rounding, where the kernel stores rounded numbers.
    var adjust: @Sendable ([[Float]]) -> [[Float]] = { $0 }
    /// What a slope may be off whatever the gradient's length: for gradients that are 0 but for roundings.
    var absolute = 1e-8

    private func randomInputs(seed: UInt64) -> [[Float]] {
        var generator = TestGenerator(seed: seed)
        return adjust(declared.inputs.map { generator.normals($0.count) })
    }

    /// Expects the outputs to equal the twin's, and nothing beside them to be written: allowed is the rounding of sums
    /// of a few hundred products, relative to the largest.
    func expectForward(sourceLocation: SourceLocation = #_sourceLocation) {
        let inputs = randomInputs(seed: 1)
        let outputs = declared.outputs.map { Guarded(count: $0.count) }
        let guarded = inputs.map { Guarded($0).view }
        let passes = declared.passes()
        passes.prepare(guarded)
        passes.forward(guarded, outputs.map(\.view))
        for (output, expected) in zip(outputs, twin(inputs.map(\.doubles))) {
            let close = closeness(output.view.doubles, expected, relative: 5e-6, scale: .largest)
            #expect(
                close.isWithin, "\(declared.name) \(declared.size): \(close)",
                sourceLocation: sourceLocation)
            #expect(
                output.isIntact, "\(declared.name) \(declared.size)",
                sourceLocation: sourceLocation)
        }
    }

    /// Expects each argument's gradient to agree, in one random direction, with central differences of the twin, whose
    /// own error (h = 1e-5) is far below the fp32 gradient's: allowed are 2e-5 of the two vectors' lengths.
    func expectBackward(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let inputs = randomInputs(seed: 2)
        var generator = TestGenerator(seed: 3)
        let c = declared.outputs.map { generator.normals($0.count) }
        let dInputs = declared.inputs.map { Guarded([Float](repeating: 0, count: $0.count)) }
        let guarded = inputs.map { Guarded($0).view }
        let passes = declared.passes()
        passes.prepare(guarded)
        passes.forward(guarded, declared.outputs.map { FloatView(zeros: $0.count) })
        let backward = try #require(passes.backward, sourceLocation: sourceLocation)
        backward(guarded, c.map { Guarded($0).view }, dInputs.map(\.view))
        for (index, operand) in declared.inputs.enumerated() {
            let gradient = dInputs[index].view.doubles
            let direction = gradient.map { _ in generator.normal() }
            func loss(_ step: Double) -> Double {
                var moved = inputs.map(\.doubles)
                moved[index] = zip(moved[index], direction).map { $0 + step * $1 }
                return zip(twin(moved), c).reduce(0) { total, pair in
                    total + zip(pair.0, pair.1).reduce(0) { $0 + $1.0 * Double($1.1) }
                }
            }
            let h = 1e-5
            let numeric = (loss(h) - loss(-h)) / (2 * h)
            let analytic = zip(gradient, direction).reduce(0) { $0 + $1.0 * $1.1 }
            let allowed = 2e-5 * norm(gradient) * norm(direction) + absolute
            let close = closeness([analytic], [numeric], relative: 0, absolute: allowed)
            #expect(
                close.isWithin, "\(operand.name) of \(declared.name) \(declared.size): \(close)",
                sourceLocation: sourceLocation)
            #expect(
                dInputs[index].isIntact,
                "\(operand.name) of \(declared.name) \(declared.size)",
                sourceLocation: sourceLocation)
        }
    }
}

private func norm(_ v: [Double]) -> Double { v.reduce(0) { $0 + $1 * $1 }.squareRoot() }
