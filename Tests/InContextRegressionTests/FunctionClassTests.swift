import InContextRegression
import Kernels
import Testing

/// Values, gradients and closed-form errors of every class against independent computations.
@Suite struct FunctionClassTests {
    @Test(arguments: [
        "linear", "polynomial", "multilinear", "sigmoid", "tanh", "proddot", "sparse_linear",
        "noisy_linear", "quadratic",
    ])
    func gradientIsThatOfTheValues(name: String) throws {
        let functionClass = try FunctionClasses.named(name)
        #expect(functionClass.hasGradient)
        // Rounding of values up to 100 over a step of 1/64, and the classes' third derivative.
        for slope in slopes(functionClass, step: 0x1p-7) {
            #expect(abs(slope.central - slope.gradient) < 2e-3 * max(1, abs(slope.gradient)))
        }
    }

    /// A difference over a kink is between the slopes on its sides; elsewhere these agree.
    @Test(arguments: ["relu", "two_layer_relu"])
    func gradientOfPiecewiseLinearFunctions(name: String) throws {
        let functionClass = try FunctionClasses.named(name)
        #expect(functionClass.hasGradient)
        let slopes = slopes(functionClass, step: 0x1p-10)
        let smooth = slopes.filter { abs($0.forward - $0.backward) < 4e-3 }
        #expect(smooth.count > slopes.count * 8 / 10)
        for slope in smooth {
            #expect(abs(slope.central - slope.gradient) < 4e-3)
        }
        #expect(smooth.contains { abs($0.gradient) > 1 })
    }

    @Test func aTreeHasNoGradient() throws {
        let tree = DecisionTreeFunction()
        #expect(!tree.hasGradient)
        #expect(slopes(tree, step: 0x1p-10).allSatisfy { $0.gradient == 0 })
    }

    private struct Slope {
        let forward, backward, central, gradient: Float
    }

    /// One-sided and central differences in every coordinate of 100 points, with the gradients.
    private func slopes(_ functionClass: any FunctionClass, step h: Float) -> [Slope] {
        let dims = 4
        let batch = PromptBatch(examples: 20, points: 5, dims: dims, functionClass: functionClass)
        batch.sample(functionClass, seed: 4, phase: .evaluation, firstExample: 0)
        let gradients = FloatView(zeros: batch.inputs.count)
        gradients.fill(.nan)
        batch.gradients(functionClass, into: gradients)
        return (0..<gradients.count).map { index in
            let point = index / dims
            let task = batch.rows(point / 5..<point / 5 + 1).tasks.array
            var x = Array(batch.inputs.array[point * dims..<(point + 1) * dims])
            let middle = label(functionClass, x: x, task: task)
            x[index % dims] += h
            let above = label(functionClass, x: x, task: task)
            x[index % dims] -= 2 * h
            let below = label(functionClass, x: x, task: task)
            return Slope(
                forward: (above - middle) / h, backward: (middle - below) / h,
                central: (above - below) / (2 * h), gradient: gradients[index])
        }
    }

    @Test func labelsFollowTheDefinitions() throws {
        let x: [Float] = [1, 2]
        #expect(label(LinearFunction(), x: x, task: [3, -1]) == 1)
        #expect(label(PolynomialFunction(), x: x, task: [3, 1]) == 5 + 25)
        #expect(label(MultilinearFunction(), x: x, task: [3, -1, 0.5, 2]) == 1 + 4.5)
        #expect(label(ReLUFunction(), x: x, task: [3, -1]) == 1)
        #expect(label(ReLUFunction(), x: x, task: [3, -2]) == 0)
        #expect(abs(label(SigmoidFunction(), x: x, task: [3, -1]) - 0.731_058_6) < 1e-7)
        #expect(abs(label(TanhFunction(), x: x, task: [3, -1]) - 0.761_594_2) < 1e-7)
        #expect(label(ProductFunction(), x: x, task: [3, -1, 0.5, 2]) == 4.5)
        #expect(label(SparseLinearFunction(), x: x, task: [3, -1]) == 1)
        #expect(label(NoisyLinearFunction(), x: x, task: [3, -1]) == 1)
        #expect(abs(label(QuadraticFunction(), x: x, task: [3, -1]) + 0.577_350_3) < 1e-7)
        #expect(MultilinearFunction().taskSize(dims: 7) == 14)
        #expect(ProductFunction().taskSize(dims: 7) == 14)
    }

    @Test func aNetworkOfTwoUnitsByHand() {
        let network = TwoLayerReLUFunction()
        #expect(!network.hasBase)
        #expect(network.taskSize(dims: 2) == 300)
        var task = [Float](repeating: 0, count: 300)
        // Unit 3: W = (1, 1), v = 2; unit 99: W = (−1, 0), v = 5, which is off at x = (1, 2).
        task[6] = 1
        task[7] = 1
        task[203] = 2
        task[198] = -1
        task[299] = 5
        #expect(abs(label(network, x: [1, 2], task: task) - 6 * Float(0.02).squareRoot()) < 1e-6)
        #expect(abs(label(network, x: [-1, 2], task: task) - 7 * Float(0.02).squareRoot()) < 1e-6)
    }

    @Test func aTreeByHand() {
        let tree = DecisionTreeFunction()
        #expect(!tree.hasBase)
        #expect(tree.taskSize(dims: 20) == 31)
        var task = (0..<31).map { Float($0) }
        // Every question is about the second coordinate of two, but for the root's, about the first.
        for node in 0..<15 { task[node] = node == 0 ? 0.49 : 0.5 }
        #expect(label(tree, x: [1, 1], task: task) == 30)
        #expect(label(tree, x: [1, -1], task: task) == 23)
        #expect(label(tree, x: [-1, 1], task: task) == 22)
        #expect(label(tree, x: [0, 0], task: task) == 15)
        task[2] = 1 - 0x1p-24
        #expect(label(tree, x: [1, 1], task: task) == 30)
    }

    /// Every place is taken by 3 of d coordinates, 30,000 times in 60,000 tasks of d = 6.
    @Test func sparseTasksHaveThreePlaces() {
        let sparse = SparseLinearFunction()
        let batch = PromptBatch(examples: 60_000, points: 1, dims: 6, functionClass: sparse)
        batch.sample(sparse, seed: 3, phase: .evaluation, firstExample: 0)
        var counts = [Int](repeating: 0, count: 6)
        var pairs = 0
        for row in 0..<batch.exampleCount {
            let task = batch.rows(row..<row + 1).tasks.array
            #expect(task.count { $0 != 0 } == 3)
            for place in 0..<6 where task[place] != 0 { counts[place] += 1 }
            if task[0] != 0 && task[5] != 0 { pairs += 1 }
        }
        // Standard deviations √15,000 = 122 and, for pairs with probability ⅕, √9,600 = 98.
        for count in counts { #expect(abs(count - 30_000) < 500) }
        #expect(abs(pairs - 12_000) < 400)
        let small = PromptBatch(examples: 1, points: 1, dims: 3, functionClass: sparse)
        small.sample(sparse, seed: 3, phase: .evaluation, firstExample: 0)
        #expect(small.tasks.array.allSatisfy { $0 != 0 })
    }

    /// The coordinates of a tree's questions are uniform, and independent of its leaves.
    @Test func treesAskAboutAllCoordinates() {
        let tree = DecisionTreeFunction()
        let batch = PromptBatch(examples: 4000, points: 1, dims: 3, functionClass: tree)
        batch.sample(tree, seed: 3, phase: .evaluation, firstExample: 0)
        var counts = [Int](repeating: 0, count: 3)
        for row in 0..<batch.exampleCount {
            for value in batch.rows(row..<row + 1).tasks.array[..<15] {
                counts[Int(3 * value)] += 1
            }
        }
        // 60,000 questions, standard deviation √(60,000 · 2/9) = 115.
        for count in counts { #expect(abs(count - 20_000) < 460) }
    }

    /// E[g²] from 50,000 drawn tasks and points, within four standard errors.
    @Test(arguments: FunctionClasses.all.map(\.name))
    func zeroPredictorErrorIsTheSecondMoment(name: String) throws {
        let functionClass = try FunctionClasses.named(name)
        let batch = PromptBatch(examples: 50_000, points: 1, dims: 3, functionClass: functionClass)
        batch.sample(functionClass, seed: 11, phase: .evaluation, firstExample: 0)
        let (mean, error) = meanAndStandardError(ZeroPredictor().squaredErrors(on: batch))
        #expect(abs(mean - functionClass.zeroPredictorError(dims: 3)) < 4 * error)
    }

    /// For classes that are linear in their parameters the least error is a Gaussian's conditional
    /// variance: ‖a‖² less its projection on the rows that are known. Averaged over random inputs.
    @Test(arguments: ["linear", "multilinear"], [0, 1, 3, 4, 6])
    func bayesErrorOfLinearClassesIsTheConditionalVariance(name: String, k: Int) throws {
        let functionClass = try FunctionClasses.named(name)
        let dims = 4
        let copies = functionClass.taskSize(dims: dims) / dims
        let batch = PromptBatch(
            examples: 4000, points: k + 1, dims: dims, functionClass: functionClass)
        batch.sample(functionClass, seed: 21, phase: .evaluation, firstExample: 0)
        var plain: [Float] = []
        var withBase: [Float] = []
        for row in 0..<batch.exampleCount {
            let x = batch.rows(row..<row + 1).inputs.array.map(Double.init)
            let points = (0...k).map { Array(x[$0 * dims..<($0 + 1) * dims]) }
            // g(x) = (x, x) · (w, w₂) for two parameter vectors; f(x) = (x, 0) · (w, w₂).
            let composed = points.map { point in (0..<copies).flatMap { _ in point } }
            let base = points.map { $0 + [Double](repeating: 0, count: (copies - 1) * dims) }
            plain.append(conditionalVariance(of: composed[k], known: Array(composed.prefix(k))))
            withBase.append(
                conditionalVariance(of: composed[k], known: Array(composed.prefix(k)) + base))
        }
        for (layout, samples) in [
            (PromptLayout.cpt, plain), (.negCFT, plain), (.shiftedCPT, plain), (.cft, withBase),
        ] {
            let (mean, error) = meanAndStandardError(samples)
            let closed = try #require(
                layout.bayesError(
                    of: functionClass, contextLength: k, points: k + 1, dims: dims))
            #expect(abs(mean - closed) <= 4 * error + 1e-6, "\(layout.name): \(mean), \(closed)")
        }
    }

    /// At k = 0 the least error is Var(g | x): half the mean squared difference of two tasks at one x.
    @Test func polynomialBayesErrorWithoutExamples() throws {
        let functionClass = PolynomialFunction()
        let dims = 3
        let count = 200_000
        let first = PromptBatch(
            examples: count, points: 1, dims: dims, functionClass: functionClass)
        first.sample(functionClass, seed: 31, phase: .evaluation, firstExample: 0)
        let second = PromptBatch(
            examples: count, points: 1, dims: dims, functionClass: functionClass)
        second.sample(functionClass, seed: 32, phase: .evaluation, firstExample: 0)
        let halves = (0..<count).map { row in
            let x = first.rows(row..<row + 1).inputs.array
            let other = label(functionClass, x: x, task: second.rows(row..<row + 1).tasks.array)
            let difference = first.labels[row] - other
            return difference * difference / 2
        }
        let (mean, error) = meanAndStandardError(halves)
        let closed = try #require(
            functionClass.bayesError(contextLength: 0, dims: dims, knowledge: .nothing))
        #expect(closed == 33)
        #expect(abs(mean - closed) < 4 * error)
        #expect(functionClass.bayesError(contextLength: 0, dims: 20, knowledge: .nothing) == 900)
    }

    /// Of the 2ᵏ ways to choose roots of u + u² = y, only the true one solves more than d
    /// equations (d of them are solved by every choice, so the error at k = d is not 0).
    @Test func polynomialIsDeterminedByMoreThanDExamples() {
        let functionClass = PolynomialFunction()
        let batch = PromptBatch(examples: 50, points: 3, dims: 2, functionClass: functionClass)
        batch.sample(functionClass, seed: 41, phase: .evaluation, firstExample: 0)
        for row in 0..<batch.exampleCount {
            let prompt = batch.rows(row..<row + 1)
            let x = prompt.inputs.array.map(Double.init)
            let y = prompt.labels.array.map(Double.init)
            let determinant = x[0] * x[3] - x[1] * x[2]
            var solutions = 0
            for pattern in 0..<8 {
                let u = (0..<3).map { index in
                    let root = max(1 + 4 * y[index], 0).squareRoot()
                    return (-1 + (pattern >> index & 1 == 0 ? root : -root)) / 2
                }
                let w = (
                    (u[0] * x[3] - u[1] * x[1]) / determinant,
                    (u[1] * x[0] - u[0] * x[2]) / determinant
                )
                if abs(w.0 * x[4] + w.1 * x[5] - u[2]) < 1e-3 { solutions += 1 }
            }
            #expect(solutions == 1, "prompt \(row)")
        }
        #expect(functionClass.bayesError(contextLength: 3, dims: 2, knowledge: .nothing) == 0)
        #expect(functionClass.bayesError(contextLength: 2, dims: 2, knowledge: .nothing) == nil)
        #expect(functionClass.bayesError(contextLength: 0, dims: 2, knowledge: .query) == 0)
    }

    @Test func namesAliasesAndTheNearestName() throws {
        #expect(
            FunctionClasses.all.map(\.name) == [
                "linear", "polynomial", "multilinear", "relu", "sigmoid", "tanh", "proddot",
                "sparse_linear", "noisy_linear", "quadratic", "two_layer_relu", "decision_tree",
            ])
        for (alias, name) in [
            ("sumdot", "multilinear"), ("linear_regression", "linear"),
            ("relu_2nn_regression", "relu"), ("sparse_linear_regression", "sparse_linear"),
            ("noisy_linear_regression", "noisy_linear"), ("quadratic_regression", "quadratic"),
        ] {
            #expect(try FunctionClasses.named(alias).name == name)
        }
        let names = FunctionClasses.all.flatMap { [$0.name] + $0.aliases }
        #expect(Set(names).count == names.count)
        let error = #expect(throws: UnknownNameError.self) {
            try FunctionClasses.named("polynomal")
        }
        #expect(error?.nearest == "polynomial")
        #expect(
            error?.description == "unknown function class 'polynomal': the nearest is 'polynomial' "
                + "(accepted: \(names.joined(separator: ", ")))")
    }

    /// Var(a · v | rows · v) for v ~ N(0, I): the squared length of `a` outside the rows' span.
    private func conditionalVariance(of a: [Double], known rows: [[Double]]) -> Float {
        var basis: [[Double]] = []
        let outside = { (vector: [Double]) in
            var rest = vector
            for _ in 0..<2 {
                for direction in basis {
                    let product = zip(rest, direction).reduce(0) { $0 + $1.0 * $1.1 }
                    rest = zip(rest, direction).map { $0 - product * $1 }
                }
            }
            return rest
        }
        for row in rows {
            let rest = outside(row)
            let length = rest.reduce(0) { $0 + $1 * $1 }.squareRoot()
            if length > 1e-6 { basis.append(rest.map { $0 / length }) }
        }
        return Float(outside(a).reduce(0) { $0 + $1 * $1 })
    }
}

/// The mean and its standard error, summed in double.
func meanAndStandardError(_ values: [Float]) -> (mean: Double, standardError: Double) {
    let n = Double(values.count)
    let mean = values.reduce(0) { $0 + Double($1) } / n
    let squares = values.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
    return (mean, (squares / (n - 1) / n).squareRoot())
}

/// g at one point.
func label(_ functionClass: any FunctionClass, x: [Float], task: [Float]) -> Float {
    var sum = 0.0
    for index in x.indices { sum += Double(x[index]) * Double(task[index]) }
    var labels: [Float] = [0]
    var span = labels.mutableSpan
    let base = [Float(sum)]
    functionClass.evaluate(inputs: x.span, base: base.span, task: task.span, into: &span)
    return labels[0]
}
