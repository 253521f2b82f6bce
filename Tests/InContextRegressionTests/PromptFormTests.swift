import InContextRegression
import Kernels
import Testing

/// Layouts as token sequences, spelled out token by token by a naive twin.
@Suite struct PromptFormTests {
    private let functionClass = PolynomialFunction()
    private let dims = 2
    private let points = 3

    private func batch(_ layout: PromptLayout, _ distribution: PromptDistribution = .standard)
        -> PromptBatch
    {
        let batch = PromptBatch(
            examples: 4, points: points, dims: dims, functionClass: functionClass,
            draws: layout.trainingForm(points: points).draws.union(distribution.draws))
        batch.sample(
            functionClass, seed: 3, phase: .evaluation, firstExample: 0, distribution: distribution)
        return batch
    }

    /// What a form should write for one prompt: tokens, and k → token of the predictions.
    private func naive(
        _ name: String, _ prompt: PromptBatch, query: Int?
    ) -> (tokens: [[Float]], queries: [Int: Int]) {
        let n = points
        func rows(_ view: FloatView) -> [[Float]] {
            (0..<n).map { Array(view.array[$0 * 2..<$0 * 2 + 2]) }
        }
        var x = rows(prompt.inputs)
        var f = prompt.base.array
        var g = prompt.labels.array
        if let query {
            x[query] = rows(prompt.queries)[query]
            f[query] = prompt.queryBase[query]
            g[query] = prompt.queryLabels[query]
        }
        let last = query ?? n - 1
        var tokens: [[Float]] = []
        func pair(_ input: [Float], _ label: Float) { tokens += [input, [label, 0]] }
        switch name {
        case "cft": for i in 0..<n { pair(x[i], f[i]) }
        case "neg-cft": for i in 0..<n { pair(x[i], prompt.noise[i]) }
        case "cft-shuffled": for i in 0..<n { pair(x[i], f[Int(prompt.permutations[i])]) }
        case "cft-disjoint":
            for i in 0..<n { pair(rows(prompt.fresh.inputs)[i], prompt.fresh.base[i]) }
        case "cft-prefix-2": for i in 0..<2 { pair(x[i], f[i]) }
        case "cft-no-query": for i in 0..<last { pair(x[i], f[i]) }
        default: break
        }
        var queries: [Int: Int] = [:]
        for i in 0...last {
            if query == nil || i == query { queries[i] = tokens.count }
            tokens.append(x[i])
            if i < last { tokens.append([g[i], 0]) }
        }
        return (tokens, queries)
    }

    private func check(_ form: PromptForm, _ batch: PromptBatch) {
        let count = form.tokenCount
        let inputs = FloatView(zeros: 4 * count * 2)
        let targets = FloatView(zeros: 4 * count)
        let weights = FloatView(zeros: 4 * count)
        for view in [inputs, targets, weights] { view.fill(.nan) }
        form.write(batch, inputs: inputs, targets: targets, weights: weights, lossScale: 0.25)
        for row in 0..<4 {
            let prompt = batch.rows(row..<row + 1)
            let query: Int? =
                switch form.prediction {
                case .everyQuery: nil
                case .query(let k): k
                case .drawnQuery: Int(prompt.contextLengths[0])
                }
            let expected = naive(form.layout.name, prompt, query: query)
            let padding = count - expected.tokens.count
            #expect(padding >= 0 && (padding == 0 || form.prediction == .drawnQuery))
            let written = inputs[row * count * 2..<(row + 1) * count * 2].array
            #expect(
                written == expected.tokens.flatMap { $0 }
                    + [Float](repeating: 0, count: 2 * padding))
            var target = [Float](repeating: 0, count: count)
            var weight = target
            for (k, token) in expected.queries {
                target[token] = prompt.queryLabels[k]
                weight[token] = 0.25
            }
            #expect(targets[row * count..<(row + 1) * count].array == target)
            #expect(weights[row * count..<(row + 1) * count].array == weight)
            for (k, token) in form.queryTokens where query == nil || k == query {
                #expect(expected.queries[k] == token)
            }
        }
    }

    private static let layouts = PromptLayout.all + [.cft(prefix: 2)]

    @Test(arguments: layouts)
    func trainingSequences(_ layout: PromptLayout) {
        check(layout.trainingForm(points: points), batch(layout))
    }

    /// With queries of their own there is one sequence for each k, in which the query stands in part A too.
    @Test(arguments: layouts)
    func sequencesOfSeparateQueries(_ layout: PromptLayout) {
        let batch = batch(layout, .randomQuadrants)
        let forms = layout.evaluationForms(
            points: points, distribution: .randomQuadrants, dims: dims)
        #expect(forms.map(\.prediction) == [.query(0), .query(1), .query(2)])
        for form in forms { check(form, batch) }
        let orthogonal = layout.evaluationForms(
            points: points, distribution: .orthogonalQueries, dims: dims)
        #expect(orthogonal.count == dims)
    }

    /// The context lengths that training draws are uniform, and a permutation is one.
    @Test func drawsAreUniform() {
        let layout = PromptLayout.noQueryCFT
        let batch = PromptBatch(
            examples: 3000, points: 3, dims: 1, functionClass: functionClass,
            draws: [.contextLength, .permutation])
        batch.sample(functionClass, seed: 1, phase: .training(step: 4), firstExample: 0)
        #expect(layout.trainingForm(points: 3).draws == .contextLength)
        for k in 0..<3 {
            let share = batch.contextLengths.array.count { $0 == k }
            #expect(abs(share - 1000) < 120, "k = \(k): \(share)")
        }
        var orders: [[Int32]: Int] = [:]
        for row in 0..<3000 {
            let order = batch.rows(row..<row + 1).permutations.array
            #expect(order.sorted() == [0, 1, 2])
            orders[order, default: 0] += 1
        }
        #expect(orders.count == 6 && orders.values.allSatisfy { abs($0 - 500) < 100 })
    }

    @Test func lengthsAndPositions() {
        let counts = PromptLayout.all.map { $0.trainingForm(points: 3).tokenCount }
        #expect(counts == [5, 11, 11, 11, 11, 5, 9])
        #expect(PromptLayout.cft(prefix: 2).trainingForm(points: 3).tokenCount == 9)
        #expect(PromptLayout.cft(prefix: 9).trainingForm(points: 3).tokenCount == 11)
        #expect(PromptLayout.cpt.positions(points: 3) == 0..<6)
        #expect(PromptLayout.cft.positions(points: 3) == 0..<12)
        #expect(PromptLayout.shiftedCPT.positions(points: 3) == 6..<12)
        #expect(PromptLayout.noQueryCFT.positions(points: 3) == 0..<10)
    }

    @Test func whatAPrefixTells() {
        func knowledge(_ layout: PromptLayout, _ k: Int) -> BaseKnowledge {
            layout.information(points: 4).knowledge(contextLength: k, dims: 3)
        }
        #expect(knowledge(.cpt, 2) == .nothing && knowledge(.negCFT, 2) == .nothing)
        #expect(knowledge(.shiftedCPT, 0) == .nothing && knowledge(.shuffledCFT, 2) == .other)
        // Four labels determine f in three dimensions; two do not.
        #expect(knowledge(.cft, 0) == .function && knowledge(.disjointCFT, 0) == .function)
        let short = PromptLayout.cft(prefix: 2)
        #expect((0...3).map { knowledge(short, $0) } == [.query, .query, .context, .partOfContext])
        let none = PromptLayout.noQueryCFT
        #expect((0...3).map { knowledge(none, $0) } == [.nothing, .context, .context, .function])
        #expect(
            PromptLayout.all.filter(\.showsBase).map(\.name)
                == ["cft", "cft-shuffled", "cft-disjoint", "cft-no-query"])
    }

    @Test func namesOfShorterPrefixes() throws {
        #expect(try PromptLayout.named("cft-prefix-8") == .cft(prefix: 8))
        for name in ["cft-prefix-0", "cft-prefix-08", "cft-prefix-", "cft-prefix-x"] {
            #expect(throws: UnknownNameError.self) { try PromptLayout.named(name) }
        }
    }
}
