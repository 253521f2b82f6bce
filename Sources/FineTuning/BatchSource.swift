import ContextualPrompts
import Corpora
import Kernels
import LanguageModeling
import Objectives
import Platform
import Synchronization
import Training

/// The bins that each update learns from, decided by documents, objective and seed.
///
/// An epoch's documents are turned into bins a block at a time, when updates need them.
final class BatchSource {
    /// What a document's examples are made with.
    let recipe: ExampleRecipe
    private let documents: [CorpusDocument]
    private let packs: Bool
    private let batchSize: Int
    private let seed: UInt64
    private let pool: WorkerPool
    private let preparing: PreparationReporter
    private var cursor = Cursor()
    /// Documents that are looked through in all, while they are.
    private var lookingThrough: Int?

    /// Where the reading of epochs stands.
    private struct Cursor {
        /// The update whose bins come next.
        var step = 0
        var epoch = 0
        /// The epoch's documents that are bins already.
        var read = 0
        /// The order in which it goes through them.
        var order: [Int] = []
        /// Bins that are made and not yet given out.
        var bins: ArraySlice<Bin> = []
        /// Updates of this epoch so far.
        var count = 0
    }

    /// Updates of each epoch that was read to its end, first to last.
    private var counts: [Int] = []

    /// Documents that are turned into bins at a time: part of what decides an update, since bins are filled from one block.
    private static let blockSize = 8192

    /// - Parameters:
    ///   - recipe: how documents become examples.
    ///   - documents: what is learned from, one or more.
    ///   - packs: whether examples share bins.
    ///   - batchSize: bins of an update.
    ///   - seed: decides the order.
    ///   - pool: who makes the tokens.
    ///   - preparing: told how many documents were looked through before they are needed.
    init(
        _ recipe: ExampleRecipe, documents: [CorpusDocument], packs: Bool, batchSize: Int,
        seed: UInt64, pool: WorkerPool, preparing: PreparationReporter = PreparationReporter()
    ) {
        self.recipe = recipe
        self.documents = documents
        self.packs = packs
        self.batchSize = batchSize
        self.seed = seed
        self.pool = pool
        self.preparing = preparing
    }

    /// Updates of the first `epochs` passes over the documents: every pass is read once to be counted, because each has
    /// other prompts and another order.
    func stepCount(epochs: Int) throws -> Int {
        if counts.count < epochs {
            try looking(through: epochs * documents.count) {
                while counts.count < epochs { _ = try next() }
            }
        }
        return counts[..<epochs].reduce(0, +)
    }

    /// Makes the bins of the first `steps` updates, but of no more than one pass over the documents.
    ///
    /// - Throws: `ObjectiveError` about a document that training would meet; `InterruptedError` after a signal.
    func check(steps: Int) throws {
        // Passes that were counted were made.
        if !counts.isEmpty { return }
        try looking(through: documentCount(steps: steps)) {
            while cursor.step < steps && cursor.epoch == 0 { _ = try next() }
        }
    }

    /// The pairs that the first `steps` updates learn from, in the order of the corpus.
    func pairs(steps: Int) throws -> [Int] {
        var met: Set<Int> = []
        try looking(through: documentCount(steps: steps)) {
            while cursor.step < steps && cursor.epoch == 0 {
                met.formUnion(try next().compactMap(\.pair))
            }
        }
        return met.sorted()
    }

    /// Documents of the first pass that `steps` updates read, at most; whole blocks.
    private func documentCount(steps: Int) -> Int {
        if packs || steps >= documents.count / batchSize { return documents.count }
        let blocks = (steps * batchSize + Self.blockSize - 1) / Self.blockSize
        return min(documents.count, blocks * Self.blockSize)
    }

    /// Reads from the beginning, and leaves no trace of it.
    private func looking(through count: Int, _ body: () throws -> Void) throws {
        let kept = cursor
        lookingThrough = count
        preparing.advanced(.examples, 0, count)
        defer {
            cursor = kept
            lookingThrough = nil
            preparing.ended()
        }
        cursor = Cursor()
        try body()
    }

    /// The bins of update `step`, counted from 0; the last update of an epoch may have fewer.
    func batch(step: Int) throws -> [Bin] {
        if step < cursor.step { cursor = Cursor() }
        while cursor.step < step { _ = try next() }
        return try next()
    }

    private func next() throws -> [Bin] {
        while cursor.bins.count < batchSize, cursor.read < documents.count { try readBlock() }
        let bins = Array(cursor.bins.prefix(batchSize))
        cursor.bins = cursor.bins.dropFirst(batchSize)
        cursor.step += 1
        cursor.count += 1
        if cursor.bins.isEmpty && cursor.read == documents.count {
            if cursor.epoch == counts.count { counts.append(cursor.count) }
            (cursor.count, cursor.read) = (0, 0)
            cursor.epoch += 1
        }
        return bins
    }

    private func readBlock() throws {
        if InterruptFlag.isRaised { throw InterruptedError() }
        if cursor.read == 0 {
            cursor.order = DocumentOrder.permutation(
                count: documents.count, seed: seed, epoch: cursor.epoch)
        }
        let end = min(cursor.read + Self.blockSize, documents.count)
        let block = cursor.order[cursor.read..<end]
        let before = cursor.epoch * documents.count + cursor.read
        cursor.read += block.count
        cursor.bins += try recipe.bins(
            block.map { ($0, documents[$0]) }, epoch: cursor.epoch, packs: packs, pool: pool
        ) { [preparing, lookingThrough] done in
            if let lookingThrough { preparing.advanced(.examples, before + done, lookingThrough) }
        }
    }
}

/// How documents become examples: the objective, and where contextual prompts come from.
struct ExampleRecipe: Sendable {
    let objective: Objective
    /// Nil for objectives without contextual prompts.
    let prompts: ContextualPromptSource?
    /// Tokens of a bin at most.
    let maximumLength: Int
    /// Who reads the tokens.
    let model: ModelDirectory

    /// Shared by all who use the tokenizer.
    var encoders = IdleEncoders()

    /// Documents that one worker turns into examples at a time.
    private static let pieceSize = 512

    /// The examples of one document, or the two sides of its preference.
    ///
    /// - Throws: `ObjectiveError` about the document; `LanguageModelError` about a token that the model does not know.
    func examples(
        _ document: CorpusDocument, index: Int, epoch: Int, encoder: inout SequenceEncoder
    ) throws -> [TrainingExample] {
        let examples: [TrainingExample]
        if objective.kind == .dpo {
            let pair = try objective.preferences(of: document, encoder: &encoder)
            examples = [pair.chosen, pair.rejected]
        } else {
            let prompt = try prompts?.prompt(for: document, epoch: epoch, index: index)
            examples = try objective.examples(
                of: document, prompt: prompt, epoch: epoch, index: index, encoder: &encoder)
        }
        for example in examples {
            guard let largest = example.tokens.max() else { continue }
            try model.requireKnown([Int(largest)], from: encoder.tokenizer)
        }
        return examples
    }

    /// The bins of documents in this order.
    ///
    /// - Parameters:
    ///   - documents: each with its place in the corpus's part, which decides its draws.
    ///   - epoch: which pass over them.
    ///   - packs: whether examples share bins; the sides of preferences always do, and with nothing else.
    ///   - pool: who makes the tokens.
    ///   - advanced: told now and then of how many documents there are examples.
    /// - Throws: `ObjectiveError` about a document.
    func bins(
        _ documents: [(index: Int, document: CorpusDocument)], epoch: Int, packs: Bool,
        pool: WorkerPool, advanced: (_ done: Int) -> Void = { _ in }
    ) throws -> [Bin] {
        let pieces = stride(from: 0, to: documents.count, by: Self.pieceSize).map {
            documents[$0..<min($0 + Self.pieceSize, documents.count)]
        }
        var all: [[TrainingExample]] = []
        for first in stride(from: 0, to: pieces.count, by: 2 * pool.workerCount) {
            let made = pool.map(Array(pieces[first...].prefix(2 * pool.workerCount))) { piece in
                Result {
                    var encoder = encoders.take() ?? objective.makeEncoder()
                    defer { encoders.put(encoder) }
                    return try piece.map {
                        try examples($0.document, index: $0.index, epoch: epoch, encoder: &encoder)
                    }
                }
            }
            for piece in made { all += try piece.get() }
            advanced(all.count)
        }
        if objective.kind == .dpo {
            return zip(documents, all).map { Bin(examples: $1, pair: $0.index) }
        }
        let sequences = Array(all.joined())
        let groups =
            packs
            ? Packing.bins(
                lengths: sequences.map { $0.tokens.count }, maximumLength: maximumLength)
            : Packing.unpacked(count: sequences.count)
        return groups.map { places in Bin(examples: places.map { sequences[$0] }) }
    }
}

/// Encoders between two pieces of a corpus: one that has met its words is faster, and gives the same ids.
final class IdleEncoders: Sendable {
    private let idle = Mutex<[SequenceEncoder]>([])

    func take() -> SequenceEncoder? { idle.withLock { $0.popLast() } }

    func put(_ encoder: SequenceEncoder) { idle.withLock { $0.append(encoder) } }
}
