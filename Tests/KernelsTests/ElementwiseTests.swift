import Kernels
import TestSupport
import Testing

/// Row, column and position kernels, scaled sums and the squared error against plain loops.
@Suite struct ElementwiseTests {
    static let widths = [1, 3, 8, 16, 17, 20, 64]

    /// One addition or fused multiply-add: half a unit in the last place of the result.
    static let oneRounding = 1.2e-7

    @Test func broadcastRowsCopiesTheBiasToEveryRow() {
        for width in Self.widths {
            for rows in [0, 1, 5] {
                var generator = TestGenerator(seed: 10)
                let bias = generator.normals(width)
                let output = Guarded(count: rows * width)
                broadcastRows(
                    output: output.view, bias: Guarded(bias).view, rows: rows, width: width)
                #expect(output.view.array == (0..<rows).flatMap { _ in bias })
                #expect(output.isIntact)
            }
        }
    }

    @Test func addRowsEqualsAPlainLoop() {
        for width in Self.widths {
            for rows in [1, 5] {
                var generator = TestGenerator(seed: 11)
                let bias = generator.normals(width)
                let input = generator.normals(rows * width)
                let output = Guarded(count: rows * width)
                addRows(
                    output: output.view, input: Guarded(input).view, bias: Guarded(bias).view,
                    rows: rows, width: width)
                let expected = input.indices.map { input[$0] + bias[$0 % width] }
                #expect(output.view.array == expected, "\(rows) × \(width)")
                #expect(output.isIntact)
            }
        }
    }

    @Test func addColumnSumsEqualsAPlainLoop() {
        for width in Self.widths {
            for rows in [1, 2, 3, 4, 5, 8, 82] {
                var generator = TestGenerator(seed: 12)
                let before = generator.normals(width)
                let input = generator.normals(rows * width)
                let total = Guarded(before)
                addColumnSums(
                    total: total.view, input: Guarded(input).view, rows: rows, width: width)
                var expected = before.doubles
                for index in input.indices { expected[index % width] += Double(input[index]) }
                // Up to 82 additions, whose roundings grow with the running sum.
                let close = closeness(
                    total.view.doubles, expected, relative: 2e-6, absolute: 2e-6)
                #expect(close.isWithin, "\(rows) × \(width): \(close)")
                #expect(total.isIntact)
            }
        }
    }

    @Test func addScaledEqualsAPlainLoop() {
        for count in [0, 1, 3, 15, 16, 17, 33, 64] {
            var generator = TestGenerator(seed: 13)
            let x = generator.normals(count)
            let y = generator.normals(count)
            let output = Guarded(y)
            addScaled(output.view, Guarded(x).view, scale: -0.37)
            let expected = zip(y, x).map { $0.addingProduct($1, -0.37) }
            #expect(output.view.array == expected, "\(count) elements")
            #expect(output.isIntact)
        }
    }

    @Test func positionsAreAddedFromEachExamplesStart() {
        let positions = 40
        for (length, width) in [(1, 1), (5, 3), (16, 8), (17, 20), (33, 16)] {
            var generator = TestGenerator(seed: 14)
            let starts = [0, positions - length, 3].map { Int32(min($0, positions - length)) }
            let table = generator.normals(positions * width)
            let before = generator.normals(starts.count * length * width)
            let output = Guarded(before)
            addPositions(
                output: output.view, table: Guarded(table).view, starts: IndexView(starts),
                length: length, width: width)
            let row = length * width
            let expected = before.indices.map {
                before[$0] + table[Int(starts[$0 / row]) * width + $0 % row]
            }
            let close = closeness(output.view.array, expected, relative: Self.oneRounding)
            #expect(close.isWithin, "\(length) × \(width): \(close)")
            #expect(output.isIntact)

            let dOutput = generator.normals(before.count)
            let dBefore = generator.normals(table.count)
            let dTable = Guarded(dBefore)
            addPositionsBackward(
                dTable: dTable.view, dOutput: Guarded(dOutput).view, starts: IndexView(starts),
                length: length, width: width)
            var dExpected = dBefore.doubles
            for index in dOutput.indices {
                dExpected[Int(starts[index / row]) * width + index % row] += Double(dOutput[index])
            }
            let dClose = closeness(
                dTable.view.doubles, dExpected, relative: 1e-6, absolute: 1e-6)
            #expect(dClose.isWithin, "\(length) × \(width): \(dClose)")
            #expect(dTable.isIntact)
        }
    }

    @Test func positionGradientAgreesWithDifferences() {
        let (length, width, positions) = (17, 20, 40)
        let starts = IndexView([0, 23, 3, 3])
        var generator = TestGenerator(seed: 15)
        let table = FloatView(generator.normals(positions * width))
        let c = generator.normals(starts.count * length * width)
        let dTable = FloatView(zeros: table.count)
        addPositionsBackward(
            dTable: dTable, dOutput: FloatView(c), starts: starts, length: length, width: width)
        let output = FloatView(zeros: c.count)
        let check = checkGradient(at: table, gradient: dTable.array) {
            output.fill(0)
            addPositions(
                output: output, table: table, starts: starts, length: length, width: width)
            return weightedSum(output, c)
        }
        #expect(check.isWithin, "\(check)")
    }

    @Test func squaredErrorEqualsAPlainLoop() {
        for count in [1, 2, 17, 82] {
            var generator = TestGenerator(seed: 16)
            let p = generator.normals(count)
            let t = generator.normals(count)
            let w = (0..<count).map { $0 % 3 == 1 ? 0 : Float(generator.uniform()) }
            let dPredictions = Guarded(count: count)
            let loss = squaredErrorForwardBackward(
                dPredictions: dPredictions.view, predictions: Guarded(p).view,
                targets: Guarded(t).view, weights: Guarded(w).view, count: count)
            let expected = (0..<count).reduce(0.0) {
                let difference = Double(p[$1]) - Double(t[$1])
                return $0 + Double(w[$1]) * difference * difference
            }
            let gradient = (0..<count).map { 2 * Double(w[$0]) * (Double(p[$0]) - Double(t[$0])) }
            // The difference is rounded to fp32; its square doubles that error.
            let close = closeness([loss], [expected], relative: 3e-7)
            #expect(close.isWithin, "\(count): \(close)")
            let dClose = closeness(dPredictions.view.doubles, gradient, relative: 3e-7)
            #expect(dClose.isWithin, "\(count): \(dClose)")
            #expect(dPredictions.isIntact)
        }
    }

    @Test func squaredErrorGradientAgreesWithDifferences() {
        var generator = TestGenerator(seed: 17)
        let predictions = FloatView(generator.normals(33))
        let targets = FloatView(generator.normals(33))
        let weights = FloatView((0..<33).map { $0 % 2 == 0 ? 0.5 : 0 })
        let dPredictions = FloatView(zeros: 33)
        let unused = FloatView(zeros: 33)
        _ = squaredErrorForwardBackward(
            dPredictions: dPredictions, predictions: predictions, targets: targets,
            weights: weights, count: 33)
        let check = checkGradient(at: predictions, gradient: dPredictions.array) {
            squaredErrorForwardBackward(
                dPredictions: unused, predictions: predictions, targets: targets,
                weights: weights, count: 33)
        }
        #expect(check.isWithin, "\(check)")
    }

    @Test func positionsWithoutWeightCarryNoLossWhateverTheyHold() {
        let dPredictions = FloatView(zeros: 2)
        let loss = squaredErrorForwardBackward(
            dPredictions: dPredictions, predictions: FloatView([1, 3]),
            targets: FloatView([.infinity, 1]), weights: FloatView([0, 0.5]), count: 2)
        #expect(loss == 2)
        #expect(dPredictions[1] == 2)
    }
}
