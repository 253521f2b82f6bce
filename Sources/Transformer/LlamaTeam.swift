import Kernels

/// One linear map of a round: `y = x · Wᵀ + b`, onto what is given to add.
struct LinearTask: Sendable {
    let output: FloatView
    let input: FloatView
    let map: LlamaLinear<StoredMatrix>
    var adding: FloatView?
}

/// The workers of a Llama model and their memory: each operation is cut into pieces of its result.
///
/// Here a batch is one shard: the pieces of an operation write different memory, a sum is never cut, and so the results
/// do not depend on the number of workers. The synthetic models cut batches into shards instead, because their
/// operations are too short to be cut; a model of billions of parameters could not keep gradients for each shard.
struct LlamaTeam: Sendable {
    let pool: WorkerPool
    let panels: [PanelScratch]
    let products: [ProductScratch]
    let attention: [AttentionScratch]

    /// - Parameters:
    ///   - configuration: sizes.
    ///   - workers: number of workers, the calling thread included.
    ///   - longest: the longest sequence.
    ///   - forTraining: whether gradients will be asked for.
    init(_ configuration: LlamaConfiguration, workers: Int, longest: Int, forTraining: Bool) {
        let widest = max(
            configuration.hiddenSize, configuration.intermediateSize, configuration.queryWidth)
        // The panel of a head's input gradient has one row for each piece of the vocabulary.
        let tallest = max(widest, configuration.vocabularySize)
        pool = WorkerPool(workers: workers)
        panels = (0..<workers).map { _ in
            PanelScratch(longest: forTraining ? tallest : widest)
        }
        products = (0..<workers).map { _ in
            ProductScratch(
                rows: 0, largestWidth: forTraining ? widest : 0, forTraining: forTraining)
        }
        attention = (0..<workers).map { _ in
            AttentionScratch(
                longest: AttentionShape(
                    examples: 1, length: longest, headCount: configuration.headCount,
                    headSize: configuration.headSize),
                forTraining: forTraining)
        }
    }

    /// Below this many multiplications an operation is not worth waking the workers for.
    private static let leastWork = 1 << 18

    /// Cuts `count` columns or rows into ranges that begin at multiples of 16, for `work` multiplications in all: several
    /// for each worker, so that a late one is waited for less long, or one where each piece has a cost of its own.
    private func pieces(_ count: Int, work: Int, perWorker: Int = 8) -> [Range<Int>] {
        guard pool.workerCount > 1, work >= Self.leastWork else { return [0..<count] }
        let wanted = min(perWorker * pool.workerCount, max(pool.workerCount, work >> 20))
        let size = max(16, (count / wanted + 15) / 16 * 16)
        return stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
    }

    /// The maps of one round, which do not depend on each other.
    func linear(_ tasks: [LinearTask], rows: Int) {
        let work = tasks.reduce(0) { $0 + rows * $1.map.weight.rows * $1.map.weight.columns }
        let parts = tasks.flatMap { task in
            pieces(task.map.weight.rows, work: work).map { (task: task, outputs: $0) }
        }
        run(parts.count, work: work) { part, worker in
            let (task, outputs) = parts[part]
            storedLinearForward(
                output: task.output, input: task.input, weight: task.map.weight,
                bias: task.map.bias, adding: task.adding, rows: rows, outputs: outputs,
                scratch: panels[worker])
        }
    }

    /// `dx = dy · W`, onto what is given to add.
    func inputGradient(
        _ dInput: FloatView, dOutput: FloatView, weight: StoredMatrix, adding: FloatView? = nil,
        rows: Int
    ) {
        let work = rows * weight.rows * weight.columns
        let parts = pieces(weight.columns, work: work)
        run(parts.count, work: work) { part, worker in
            storedLinearInputGradient(
                dInput: dInput, dOutput: dOutput, weight: weight, adding: adding, rows: rows,
                inputs: parts[part], scratch: panels[worker])
        }
    }

    /// `dW += dyᵀ · x` with `dW: [to, from]`, and `db += Σ dy`.
    func weightGradient(
        _ gradients: LlamaLinear<FloatView>, dOutput: FloatView, input: FloatView, rows: Int,
        from: Int
    ) {
        let to = gradients.weight.count / from
        let work = rows * from * to
        // Each piece lays out the whole input anew.
        let parts = pieces(to, work: work, perWorker: 1)
        run(parts.count, work: work) { part, worker in
            addWeightGradient(
                dWeight: gradients.weight, dBias: nil, input: dOutput, dOutput: input, rows: rows,
                from: to, to: from, inputs: parts[part], scratch: products[worker])
        }
        if let bias = gradients.bias {
            addColumnSums(total: bias, input: dOutput, rows: rows, width: to)
        }
    }

    /// Calls `body` with ranges of rows, each of which costs `cost` operations.
    func overRows(_ rows: Int, cost: Int, _ body: @Sendable (Range<Int>) -> Void) {
        let parts = pieces(rows, work: rows * cost)
        run(parts.count, work: rows * cost) { part, _ in body(parts[part]) }
    }

    /// Calls `body(part, worker)` for each part, on the workers where `work` multiplications are worth it.
    func run(_ parts: Int, work: Int, _ body: @Sendable (_ part: Int, _ worker: Int) -> Void) {
        if work < Self.leastWork {
            for part in 0..<parts { body(part, 0) }
        } else {
            pool.run(parts: parts, body)
        }
    }
}
