import TestSupport
import Testing

import KernelCases
@testable import Kernels

/// Products of numbers rounded to bf16: the rounding, and each kernel against a naive twin that rounds its operands.
@Suite struct BF16Tests {
    /// Round to nearest, ties to even, by comparing the two neighbours.
    private static func rounded(_ x: Float) -> Float {
        guard x.isFinite else { return x }
        let below = Float(bitPattern: x.bitPattern & 0xffff_0000)
        let above = Float(bitPattern: (x.bitPattern & 0xffff_0000) &+ 0x1_0000)
        // The next bf16 number after the largest counts as 2^128, as in IEEE 754's rounding to infinity.
        let high =
            above.isFinite ? Double(above) : Double(sign: x.sign, exponent: 128, significand: 1)
        let (down, up) = (abs(Double(x) - Double(below)), abs(high - Double(x)))
        if down != up { return down < up ? below : above }
        return below.bitPattern >> 16 & 1 == 0 ? below : above
    }

    private static func rounded(_ values: [Float]) -> [Double] {
        values.map { Double(rounded($0)) }
    }

    @Test func numbersAreRoundedToTheNearest() {
        var generator = TestGenerator(seed: 1)
        var numbers = generator.normals(10_000)
        for high in stride(from: UInt32(0), through: 0xffff, by: 7) {
            for low: UInt32 in [0, 1, 0x7fff, 0x8000, 0x8001, 0xffff] {
                numbers.append(Float(bitPattern: high << 16 | low))
            }
        }
        numbers += [
            .infinity, -.infinity, .greatestFiniteMagnitude, .leastNonzeroMagnitude, 0, -0.0,
        ]
        for x in numbers {
            let lanes = Lanes(repeating: x)
            let zeros = Lanes(repeating: 0)
            for bits in [
                PairLanes(neighbours: lanes, zeros)[3] & 0xffff_0000,
                PairLanes(neighbours: zeros, lanes)[11] << 16,
                lanes.bf16Pairs(with: zeros)[3] << 16,
                zeros.bf16Pairs(with: lanes)[7] & 0xffff_0000,
            ] {
                let result = Float(bitPattern: bits)
                if x.isNaN {
                    #expect(result.isNaN)
                } else if x.isSubnormal, result == 0 {
                    // What the instruction may make of it.
                    continue
                } else {
                    #expect(bits == Self.rounded(x).bitPattern, "\(x): \(result)")
                }
            }
        }
    }

    /// y = x · W + b, dx = dy · Wᵀ, dW = xᵀ · dy with all factors rounded and exact sums; db from dy as it is.
    @Test func productsEqualTheNaiveTwinOfRoundedNumbers() throws {
        for (rows, from, to) in KernelCaseTests.products {
            let declared = KernelCase.linear(rows: rows, from: from, to: to, precision: .bf16)
            var generator = TestGenerator(seed: 2)
            let inputs = declared.inputs.map { generator.normals($0.count) }
            let dy = generator.normals(rows * to)
            let views = inputs.map { Guarded($0).view }
            let output = Guarded(count: rows * to)
            let dInputs = inputs.map { Guarded([Float](repeating: 0, count: $0.count)) }
            let passes = declared.passes()
            passes.prepare(views)
            passes.forward(views, [output.view])
            let backward = try #require(passes.backward)
            backward(views, [Guarded(dy).view], dInputs.map(\.view))

            let (x, w, d) = (
                Self.rounded(inputs[0]), Self.rounded(inputs[1]), Self.rounded(dy)
            )
            var y = Naive.matrixProduct(x, w, rows: rows, columns: to, inner: from)
            for index in y.indices { y[index] += Double(inputs[2][index % to]) }
            let dx = Naive.matrixProduct(
                d, w, rows: rows, columns: from, inner: to, transposeB: true)
            let dw = Naive.matrixProduct(
                x, d, rows: from, columns: to, inner: rows, transposeA: true)
            var db = [Double](repeating: 0, count: to)
            for index in dy.indices { db[index % to] += Double(dy[index]) }
            for (name, found, expected) in [
                ("y", output, y), ("dx", dInputs[0], dx), ("dW", dInputs[1], dw),
                ("db", dInputs[2], db),
            ] {
                let close = closeness(
                    found.view.doubles, expected, relative: 5e-6, scale: .largest)
                #expect(close.isWithin, "\(name) of \(declared.size): \(close)")
                #expect(found.isIntact, "\(name) of \(declared.size)")
            }
        }
    }

    /// y = x · Wᵀ + b, dx = dy · W, dW = dyᵀ · x with all factors rounded and exact sums, from matrices of each type.
    @Test(arguments: StoredElement.allCases)
    func storedProductsEqualTheNaiveTwinOfRoundedNumbers(element: StoredElement) throws {
        for (rows, from, to) in LlamaKernelTests.productSizes {
            let declared = KernelCase.storedLinear(
                rows: rows, from: from, to: to, element: element, precision: .bf16)
            var generator = TestGenerator(seed: 5)
            var inputs = declared.inputs.map { generator.normals($0.count) }
            inputs[1] = Naive.representable(inputs[1], element)
            let dy = generator.normals(rows * to)
            let views = inputs.map { Guarded($0).view }
            let output = Guarded(count: rows * to)
            let dInputs = inputs.map { Guarded([Float](repeating: 0, count: $0.count)) }
            let passes = declared.passes()
            passes.prepare(views)
            passes.forward(views, [output.view])
            let backward = try #require(passes.backward)
            backward(views, [Guarded(dy).view], dInputs.map(\.view))

            let (x, w, d) = (
                Self.rounded(inputs[0]), Self.rounded(inputs[1]), Self.rounded(dy)
            )
            var y = Naive.matrixProduct(
                x, w, rows: rows, columns: to, inner: from, transposeB: true)
            for index in y.indices { y[index] += Double(inputs[2][index % to]) }
            let dx = Naive.matrixProduct(d, w, rows: rows, columns: from, inner: to)
            let dw = Naive.matrixProduct(
                d, x, rows: to, columns: from, inner: rows, transposeA: true)
            for (name, found, expected) in [
                ("y", output, y), ("dx", dInputs[0], dx), ("dW", dInputs[1], dw),
            ] {
                let close = closeness(
                    found.view.doubles, expected, relative: 5e-6, scale: .largest)
                #expect(close.isWithin, "\(name) of \(declared.size): \(close)")
                #expect(found.isIntact, "\(name) of \(declared.size)")
            }
        }
    }

    /// The fused kernels differ from their fp32 forms by what rounding three factors can do: 3 · 2⁻⁹ of the terms.
    @Test func fusedKernelsStayNearFP32() throws {
        for (rows, from, to) in KernelCaseTests.products {
            let pairs: [(KernelCase, KernelCase)] = [
                (
                    .linearOntoResidual(rows: rows, from: from, to: to),
                    .linearOntoResidual(rows: rows, from: from, to: to, precision: .bf16)
                ),
                (
                    .feedForward(rows: rows, width: from, hidden: to),
                    .feedForward(rows: rows, width: from, hidden: to, precision: .bf16)
                ),
            ]
            for (exact, coarse) in pairs {
                let (expected, found) = (try results(exact), try results(coarse))
                for (a, b) in zip(found, expected) {
                    let close = closeness(
                        a, b, relative: 0.06, absolute: 0.06, scale: .largest)
                    #expect(close.isWithin, "\(coarse.name) \(coarse.size): \(close)")
                }
                #expect(found.joined().elementsEqual(expected.joined()) == false)
            }
        }
    }

    private func results(_ declared: KernelCase) throws -> [[Double]] {
        var generator = TestGenerator(seed: 3)
        let inputs = declared.inputs.map { FloatView(generator.normals($0.count)) }
        let outputs = declared.outputs.map { FloatView(zeros: $0.count) }
        let dOutputs = declared.outputs.map { FloatView(generator.normals($0.count)) }
        let dInputs = declared.inputs.map { FloatView(zeros: $0.count) }
        let passes = declared.passes()
        passes.prepare(inputs)
        passes.forward(inputs, outputs)
        let backward = try #require(passes.backward)
        backward(inputs, dOutputs, dInputs)
        return (outputs + dInputs).map(\.doubles)
    }

    /// Two rounded operands, exact products, two roundings: what the instruction is documented to give.
    @Test func pairsAreAddedHighHalfFirst() {
        var generator = TestGenerator(seed: 4)
        for _ in 0..<1000 {
            let n = generator.normals(5)
            let (a0, a1) = (Self.rounded(n[0]), Self.rounded(n[1]))
            let (b0, b1) = (Self.rounded(n[2]), Self.rounded(n[3]))
            var sums = Lanes(repeating: n[4])
            UInt32.addProduct(
                &sums, Lanes(repeating: a0).bf16Pairs(with: Lanes(repeating: a1)),
                Lanes(repeating: b0).bf16Pairs(with: Lanes(repeating: b1)))
            #expect(sums[7] == n[4] + a1 * b1 + a0 * b0)
        }
    }
}
