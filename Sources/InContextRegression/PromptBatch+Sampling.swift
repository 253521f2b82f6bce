import Kernels
import Randomness

extension PromptBatch {
    /// Draws the prompts `firstExample` … `firstExample + b − 1` of a phase into this memory.
    ///
    /// Inputs are N(0, I) in the first `activeDims` coordinates and 0 in the others (the whole row is
    /// drawn first, so a coordinate's value does not depend on how many are active), before the distribution has its
    /// say.
    ///
    /// - Parameters:
    ///   - functionClass: the class that draws the tasks and labels the points, of ``taskSize``.
    ///   - seed: the Philox key.
    ///   - phase: what the prompts are for.
    ///   - firstExample: the first prompt's index in the step's batch or the evaluation set.
    ///   - activeDims: coordinates that are not 0; all of them by default.
    ///   - distribution: where points and queries come from and how labels are spoiled. Its
    ///     ``PromptDistribution/groupSize`` must divide `firstExample`.
    public func sample(
        _ functionClass: any FunctionClass, seed: UInt64, phase: PromptPhase, firstExample: Int,
        activeDims: Int? = nil, distribution: PromptDistribution = .standard
    ) {
        let active = activeDims ?? dims
        precondition(
            active >= 1 && active <= dims, "\(active) active dimensions of \(dims) cannot be")
        precondition(
            functionClass.taskSize(dims: dims) == taskSize,
            "the batch holds \(taskSize) task parameters, not those of \(functionClass.name)")
        precondition(
            draws.isSuperset(of: distribution.draws)
                && draws.contains(.queries) == distribution.hasSeparateQueries
                && firstExample.isMultiple(of: distribution.groupSize),
            "the batch does not fit the distribution \(distribution.name)")
        for row in 0..<exampleCount {
            let prompt = rows(row..<row + 1)
            let keys = phase.keys(seed: seed, example: firstExample + row)
            keys.inputs.fill(prompt.inputs, dims: dims, active: active)
            prompt.noise.withMutableSpan { keys.noise.fillNormals(&$0) }
            prompt.tasks.withMutableSpan { functionClass.drawTask(keys.task, into: &$0) }
            if draws.contains(.freshInputs) {
                keys.fresh.fill(prompt.fresh.inputs, dims: dims, active: active)
            }
            if draws.contains(.labelNoise) {
                prompt.labelNoise.withMutableSpan { keys.labelNoise.fillNormals(&$0) }
            }
            prompt.choose(keys.draw)
        }
        distribution.place(self, seed: seed, phase: phase, firstExample: firstExample)
        label(examples, functionClass)
        if draws.contains(.queries) { label(separateQueries, functionClass) }
        if draws.contains(.freshInputs) { label(fresh, functionClass) }
        distribution.spoilLabels(self, of: functionClass)
    }

    /// Draws what a single prompt leaves to chance: a context length, then a permutation.
    private func choose(_ key: RandomKey) {
        if draws.isDisjoint(with: [.permutation, .contextLength]) { return }
        var generator = CounterGenerator(key)
        if draws.contains(.contextLength) {
            contextLengths[0] = Int32(generator.integer(below: points))
        }
        guard draws.contains(.permutation) else { return }
        for place in 0..<points { permutations[place] = Int32(place) }
        for place in stride(from: points - 1, to: 0, by: -1) {
            let other = generator.integer(below: place + 1)
            let kept = permutations[place]
            permutations[place] = permutations[other]
            permutations[other] = kept
        }
    }

    /// Computes f and g of every prompt from inputs and task.
    private func label(_ all: PromptPoints, _ functionClass: any FunctionClass) {
        for row in 0..<exampleCount {
            let prompt = all.part(row * points..<(row + 1) * points)
            prompt.inputs.withSpan { x in
                task(row).withSpan { task in
                    if functionClass.hasBase {
                        prompt.base.withMutableSpan {
                            dotProducts(inputs: x, weights: task.extracting(0..<dims), into: &$0)
                        }
                    }
                    prompt.base.withSpan { f in
                        prompt.labels.withMutableSpan {
                            functionClass.evaluate(inputs: x, base: f, task: task, into: &$0)
                        }
                    }
                }
            }
        }
    }
}

extension RandomKey {
    /// Fills inputs [n, d] with N(0, I) in the first `active` coordinates and 0 in the others.
    fileprivate func fill(_ inputs: FloatView, dims: Int, active: Int) {
        inputs.withMutableSpan { inputs in
            fillNormals(&inputs)
            guard active < dims else { return }
            for point in 0..<inputs.count / dims {
                for coordinate in active..<dims { inputs[point * dims + coordinate] = 0 }
            }
        }
    }
}
