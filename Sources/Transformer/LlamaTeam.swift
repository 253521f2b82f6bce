import Kernels

/// One linear map of a round, all of which read the same input: `y = x · Wᵀ + b`, onto what is given to add.
struct LinearTask: Sendable {
    let output: FloatView
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
    /// Memory of products in fp32.
    private let exact: ProductMemory
    /// Memory of products of numbers rounded to bf16; nil where nothing is rounded.
    private let rounded: ProductMemory?
    let attention: [AttentionScratch]

    private struct ProductMemory: Sendable {
        /// The left factor of a round.
        let factor: PackedRows
        /// The right factor of its weight gradients.
        let columns: PackedColumns
        /// Each worker's.
        let panels: [PanelScratch]
        let products: [ProductScratch]

        init(
            _ precision: ProductPrecision, _ sizes: ProductSizes, workers: Int, forTraining: Bool
        ) {
            factor = PackedRows(count: sizes.factorCount(precision), precision: precision)
            columns = PackedColumns(
                count: forTraining ? sizes.columnCount(precision) : 0, precision: precision)
            panels = (0..<workers).map { _ in PanelScratch(rows: sizes.rows, precision: precision) }
            products = (0..<workers).map { _ in
                ProductScratch(
                    precision: precision, rows: 0, largestWidth: 0, forTraining: forTraining)
            }
        }
    }

    /// - Parameters:
    ///   - configuration: sizes.
    ///   - workers: number of workers, the calling thread included.
    ///   - rows: largest number of rows of a call.
    ///   - longest: the longest sequence.
    ///   - forTraining: whether gradients will be asked for.
    ///   - precision: what the operands of products with the model's matrices are rounded to.
    ///   - rank: that of the adapters; 0 for none.
    init(
        _ configuration: LlamaConfiguration, workers: Int, rows: Int, longest: Int,
        forTraining: Bool, precision: ProductPrecision, rank: Int = 0
    ) {
        pool = WorkerPool(workers: workers)
        let sizes = ProductSizes(configuration, rows: rows, forTraining: forTraining, rank: rank)
        exact = ProductMemory(
            .fp32, precision == .fp32 ? sizes : sizes.besidesRounded, workers: workers,
            forTraining: forTraining && (precision == .fp32 || rank > 0))
        rounded =
            precision == .fp32
            ? nil
            : ProductMemory(
                precision, sizes, workers: workers, forTraining: forTraining && rank == 0)
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

    /// Cuts `count` columns or rows into ranges that begin at multiples of `unit`, for `work` multiplications in all: several
    /// for each worker, so that a late one is waited for less long.
    private func pieces(_ count: Int, work: Int, unit: Int = 16) -> [Range<Int>] {
        guard pool.workerCount > 1, work >= Self.leastWork else { return [0..<count] }
        let wanted = min(8 * pool.workerCount, max(pool.workerCount, work >> 20))
        let size = max(unit, (count / wanted + unit - 1) / unit * unit)
        return stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
    }

    /// Cuts a product of `work` multiplications into blocks of its result, for one of `besides` maps of a round.
    ///
    /// Blocks are about as wide as the panels that a worker lays out at a time, or half as wide where all workers then have as
    /// many. Where these are too few for the workers, rows are cut too, but not below those that make laying out worth while;
    /// then blocks become narrower.
    private func blocks(
        rows: Int, columns: Int, work: Int, besides tasks: Int = 1
    ) -> [(rows: Range<Int>, columns: Range<Int>)] {
        let workers = pool.workerCount
        guard workers > 1, work >= Self.leastWork else { return [(0..<rows, 0..<columns)] }
        var rowParts = 1
        let widest = (columns + 255) / 256
        let even = (widest...max(widest, columns / 128)).first { tasks * $0 % workers == 0 }
        var columnParts = even ?? widest
        while tasks * rowParts * columnParts < 2 * workers && rows / (2 * rowParts) >= 256 {
            rowParts *= 2
        }
        // A piece is a whole number of panels.
        let panels = (columns + 15) / 16
        while tasks * rowParts * columnParts < 2 * workers && 2 * columnParts <= panels {
            columnParts *= 2
        }
        let stripes = PackedRows.stripeCount(rows: rows)
        return (0..<rowParts).flatMap { part in
            let first = stripes * part / rowParts * PackedRows.stripeRows
            let last = stripes * (part + 1) / rowParts * PackedRows.stripeRows
            return (0..<columnParts).map { piece in
                (
                    first..<min(last, rows),
                    panels * piece / columnParts
                        * 16..<min(
                            panels * (piece + 1) / columnParts * 16, columns)
                )
            }
        }
    }

    /// The maps of one round, which do not depend on each other.
    ///
    /// - Parameters:
    ///   - input: `x: [rows, from]`, that of all of them.
    ///   - tasks: the maps.
    ///   - rows: number of rows.
    ///   - isExact: whether nothing is rounded, whatever the precision.
    func linear(_ input: FloatView, _ tasks: [LinearTask], rows: Int, isExact: Bool = false) {
        let work = tasks.reduce(0) { $0 + rows * $1.map.weight.rows * $1.map.weight.columns }
        if rows <= fewRows && (isExact || rounded == nil) {
            let parts = tasks.flatMap { task in
                pieces(task.map.weight.rows, work: work).map { (task: task, outputs: $0) }
            }
            run(parts.count, work: work) { part, _ in
                let (task, outputs) = parts[part]
                storedLinearForwardOfFew(
                    output: task.output, input: input, weight: task.map.weight,
                    bias: task.map.bias, adding: task.adding, rows: rows, outputs: outputs)
            }
            return
        }
        let parts = tasks.flatMap { task in
            blocks(
                rows: rows, columns: task.map.weight.rows, work: work, besides: tasks.count
            ).map { (task: task, block: $0) }
        }
        let width = tasks.first?.map.weight.columns ?? 0
        precondition(tasks.allSatisfy { $0.map.weight.columns == width }, "maps of one input")
        let memory = laidOut(input, rows: rows, width: width, isExact: isExact)
        run(parts.count, work: work) { part, worker in
            let (task, block) = parts[part]
            storedLinearForward(
                output: task.output, input: memory.factor, weight: task.map.weight,
                bias: task.map.bias, adding: task.adding, rows: block.rows,
                outputs: block.columns, scratch: memory.panels[worker])
        }
    }

    /// `dx = dy · W`, onto what is given to add.
    func inputGradient(
        _ dInput: FloatView, dOutput: FloatView, weight: StoredMatrix, adding: FloatView? = nil,
        rows: Int, isExact: Bool = false
    ) {
        let work = rows * weight.rows * weight.columns
        let parts = blocks(rows: rows, columns: weight.columns, work: work)
        let memory = laidOut(dOutput, rows: rows, width: weight.rows, isExact: isExact)
        run(parts.count, work: work) { part, worker in
            storedLinearInputGradient(
                dInput: dInput, dOutput: memory.factor, weight: weight, adding: adding,
                rows: parts[part].rows, inputs: parts[part].columns, scratch: memory.panels[worker])
        }
    }

    /// Lays out the left factor of a round, in memory of the precision that is asked for.
    private func laidOut(
        _ input: FloatView, rows: Int, width: Int, isExact: Bool
    ) -> ProductMemory {
        let memory = isExact ? exact : rounded ?? exact
        share(PackedRows.stripeCount(rows: rows), work: 4 * rows * width) {
            memory.factor.pack(input, rows: rows, width: width, stripes: $0)
        }
        return memory
    }

    /// Calls `body` with ranges of `count` things, a few for each worker where `work` is worth it.
    private func share(_ count: Int, work: Int, _ body: @Sendable (Range<Int>) -> Void) {
        let parts = work < Self.leastWork ? 1 : min(count, 4 * pool.workerCount)
        run(parts, work: work) { part, _ in
            body(count * part / parts..<count * (part + 1) / parts)
        }
    }

    /// The gradients of one map, and that of its output, `dy: [rows, to]`.
    struct GradientTask: Sendable {
        let gradients: LlamaLinear<FloatView>
        let dOutput: FloatView
    }

    /// The gradients of maps that read the same input: `dW += dyᵀ · x` with `dW: [to, from]`, and `db += Σ dy`.
    ///
    /// - Parameters:
    ///   - tasks: the maps.
    ///   - input: `x: [rows, from]`, that of all of them.
    ///   - rows: number of rows.
    ///   - from: width of the input.
    ///   - isExact: whether nothing is rounded, whatever the precision.
    func weightGradients(
        _ tasks: [GradientTask], input: FloatView, rows: Int, from: Int, isExact: Bool = false
    ) {
        let memory = isExact ? exact : rounded ?? exact
        share(PackedColumns.panelCount(width: from), work: 4 * rows * from) {
            memory.columns.pack(input, rows: rows, width: from, panels: $0)
        }
        let numbers = tasks.reduce(0) { $0 + $1.gradients.weight.count }
        let parts = tasks.flatMap { task in
            let to = task.gradients.weight.count / from
            // Whole tiles, and enough rows of dW for what is read of the panels.
            return pieces(to, work: rows * numbers, unit: 48).map { (task: task, outputs: $0) }
        }
        run(parts.count, work: rows * numbers) { part, worker in
            let (task, outputs) = parts[part]
            addWeightGradient(
                dWeight: task.gradients.weight, input: task.dOutput, dOutput: memory.columns,
                rows: rows, from: task.gradients.weight.count / from, to: from, inputs: outputs,
                scratch: memory.products[worker])
        }
        for task in tasks {
            guard let bias = task.gradients.bias else { continue }
            addColumnSums(total: bias, input: task.dOutput, rows: rows, width: bias.count)
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
