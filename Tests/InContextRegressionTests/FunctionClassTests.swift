import InContextRegression
import Kernels
import Testing

/// Values, gradients and closed-form errors of every class against independent computations.
@Suite struct FunctionClassTests {
    @Test(arguments: ["linear", "polynomial", "multilinear"])
    func gradientIsThatOfTheValues(name: String) throws {
        let functionClass = try FunctionClasses.named(name)
        let dims = 4
        let batch = PromptBatch(examples: 20, points: 5, dims: dims, functionClass: functionClass)
        batch.sample(functionClass, seed: 4, phase: .evaluation, firstExample: 0)
        let gradients = FloatView(zeros: batch.inputs.count)
        batch.gradients(functionClass, into: gradients)
        let h: Float = 0.0625
        for row in 0..<batch.exampleCount {
            let task = batch.rows(row..<row + 1).tasks.array
            for index in row * 5 * dims..<(row + 1) * 5 * dims {
                let point = index / dims
                var x = Array(batch.inputs.array[point * dims..<(point + 1) * dims])
                let value = { (x: [Float]) in label(functionClass, x: x, task: task) }
                x[index % dims] += h
                let above = value(x)
                x[index % dims] -= 2 * h
                let difference = (above - value(x)) / (2 * h)
                // Rounding of values up to 100 over a step of 1/8, and the classes' third derivative.
                #expect(abs(difference - gradients[index]) < 2e-3 * max(1, abs(gradients[index])))
            }
        }
    }

    @Test func labelsFollowTheDefinitions() throws {
        let x: [Float] = [1, 2]
        #expect(label(LinearFunction(), x: x, task: [3, -1]) == 1)
        #expect(label(PolynomialFunction(), x: x, task: [3, 1]) == 5 + 25)
        #expect(label(MultilinearFunction(), x: x, task: [3, -1, 0.5, 2]) == 1 + 4.5)
        #expect(MultilinearFunction().taskSize(dims: 7) == 14)
    }

    /// E[g²] from 200,000 drawn tasks and points, within four standard errors.
    @Test(arguments: ["linear", "polynomial", "multilinear"])
    func zeroPredictorErrorIsTheSecondMoment(name: String) throws {
        let functionClass = try FunctionClasses.named(name)
        let batch = PromptBatch(examples: 200_000, points: 1, dims: 3, functionClass: functionClass)
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
        #expect(FunctionClasses.all.map(\.name) == ["linear", "polynomial", "multilinear"])
        #expect(try FunctionClasses.named("sumdot").name == "multilinear")
        #expect(try FunctionClasses.named("linear_regression").name == "linear")
        let error = #expect(throws: UnknownNameError.self) {
            try FunctionClasses.named("polynomal")
        }
        #expect(error?.nearest == "polynomial")
        #expect(
            error?.description == "unknown function class 'polynomal': the nearest is 'polynomial' "
                + "(accepted: linear, linear_regression, polynomial, multilinear, sumdot)")
    }

    /// g at one point.
    private func label(_ functionClass: any FunctionClass, x: [Float], task: [Float]) -> Float {
        var sum = 0.0
        for index in x.indices { sum += Double(x[index]) * Double(task[index]) }
        var labels: [Float] = [0]
        var span = labels.mutableSpan
        let base = [Float(sum)]
        functionClass.evaluate(inputs: x.span, base: base.span, task: task.span, into: &span)
        return labels[0]
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
