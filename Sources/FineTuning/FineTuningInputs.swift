import ContextualPrompts
import Corpora
import Experiments
import Foundation
import Kernels
import LanguageModeling
import Objectives
import Platform
import Tokenizers

/// What runs read: models, corpora, prompts; each is opened once for all runs that name the same.
public final class FineTuningInputs {
    /// A corpus in its two parts.
    struct Parts {
        let training: [CorpusDocument]
        let heldOut: [CorpusDocument]
        /// The corpus's first document.
        let first: CorpusDocument?
        let hash: String
    }

    private var models: [String: (directory: ModelDirectory, fingerprint: String)] = [:]
    private var corpora: [CorpusRequest: Parts] = [:]
    private var pools: [String: PromptPool] = [:]
    /// By model and place.
    private var tokenizers: [[String]: Tokenizer] = [:]
    private var encoders: [[String]: IdleEncoders] = [:]
    private var generated: [GeneratedRequest: [String: String]] = [:]
    /// Corpora of which it was said that some texts have no exercises.
    private var told: Set<CorpusRequest> = []
    private let searchFolders: [String]
    private let notice: (String) -> Void
    /// Told how far it has come with what takes a while.
    let preparing: PreparationReporter

    /// - Parameters:
    ///   - searchFolders: where pools of prompts are looked for when they are not where they are said to be.
    ///   - notice: told of anything worth a line, such as lines that were left out.
    ///   - preparing: told how far it has come with what takes a while.
    public init(
        searchFolders: [String] = [], notice: @escaping (String) -> Void = { _ in },
        preparing: PreparationReporter = PreparationReporter()
    ) {
        self.searchFolders = searchFolders
        self.notice = notice
        self.preparing = preparing
    }

    /// The model at `path`, and its fingerprint.
    func model(_ path: String) throws -> (directory: ModelDirectory, fingerprint: String) {
        if let known = models[path] { return known }
        let directory = try ModelDirectory(path: path)
        let model = (directory: directory, fingerprint: try directory.fingerprint())
        models[path] = model
        return model
    }

    /// The tokenizer of a run, which its model must know.
    func tokenizer(_ run: FineTuningConfiguration) throws -> Tokenizer {
        let place = run.tokenizer ?? run.model
        let names = [run.model, place]
        if let known = tokenizers[names] { return known }
        let tokenizer = try model(run.model).directory.tokenizer(at: place)
        tokenizers[names] = tokenizer
        return tokenizer
    }

    /// SHA-256 over the files that decide a run's tokens: the tokenizer's own and those beside it.
    private func tokenizerHash(_ run: FineTuningConfiguration) throws -> String {
        let place = run.tokenizer ?? run.model
        if Folder.holdsFile(place) { return try sha256Hex(ofFile: place) }
        var lines = ""
        for name in ModelWriter.carriedFiles where Folder.holdsFile("\(place)/\(name)") {
            lines += "\(name) \(try sha256Hex(ofFile: "\(place)/\(name)"))\n"
        }
        return sha256Hex(Data(lines.utf8))
    }

    /// Documents that were asked about, and how.
    private struct GeneratedRequest: Hashable {
        let generator: GeneratorConfiguration
        let corpus: CorpusConfiguration
    }

    /// A corpus in the form in which one of its imported entries is wanted.
    private struct CorpusRequest: Hashable {
        let configuration: CorpusConfiguration
        let form: EntryForm
    }

    /// A run's corpus, split; entries of importers come in the form that its objective learns from.
    func corpus(_ run: FineTuningConfiguration) throws -> Parts {
        let parts = try corpus(run.corpus, run.objective.kind.entryForm)
        // All documents of a corpus are of one kind: the first one tells.
        if let first = parts.first { try run.objective.kind.check(first) }
        return parts
    }

    private func corpus(_ configuration: CorpusConfiguration, _ form: EntryForm) throws -> Parts {
        let request = CorpusRequest(configuration: configuration, form: form)
        if let known = corpora[request] { return known }
        let corpus = try Corpus.read(
            sources: configuration.sources, skippingBad: configuration.skipsBad,
            limit: configuration.limit)
        if corpus.skippedCount > 0 {
            notice(
                "\(corpus.name): left out \(corpus.skippedCount) \(corpus.skippedCount == 1 ? "line" : "lines") that cannot be read, such as "
                    + (corpus.skippedMessages.first ?? ""))
        }
        let documents =
            configuration.from == nil ? corpus.documents : corpus.documents.entries(as: form)
        let (training, heldOut) = CorpusSplit(heldOutShare: configuration.heldOut)
            .parts(of: documents)
        guard !training.isEmpty else {
            throw FineTuningError(
                configuration.path.joined(separator: ", "),
                "holds \(corpus.documents.count) documents, and all of them are held out; add documents or lower "
                    + "corpus.held_out")
        }
        if configuration.heldOut > 0 && heldOut.count <= 1 {
            notice(
                "\(corpus.name): corpus.held_out leaves \(heldOut.count) of \(documents.count) documents to evaluate on, "
                    + "which says \(heldOut.isEmpty ? "nothing" : "little"); add documents or raise it"
            )
        }
        let parts = Parts(
            training: training, heldOut: heldOut, first: documents.first, hash: corpus.hash)
        corpora[request] = parts
        return parts
    }

    /// Says of how many texts, of the first some thousands, reading comprehension makes nothing more: its rules find nothing to
    /// ask in them.
    func tellOfTextsWithoutExercises(_ run: FineTuningConfiguration, pool: WorkerPool) throws {
        guard run.objective.kind == .readingComprehension,
            told.insert(CorpusRequest(configuration: run.corpus, form: .text)).inserted
        else { return }
        let documents = Array(try corpus(run).training.prefix(5000))
        let count = pool.map(documents) { document in
            guard case .text(let text) = document.content else { return 0 }
            return ReadingComprehension.findsNothing(in: text) ? 1 : 0
        }.reduce(0, +)
        if count > 0 {
            notice(
                "reading-comprehension: \(count) of the first \(documents.count) texts get no exercises, since none of the rules "
                    + "finds anything to ask in them; they are trained on as in cpt")
        }
    }

    /// The pool that is named `path`.
    func pool(_ path: String) throws -> PromptPool {
        if let known = pools[path] { return known }
        let pool = try PromptPool.read(path: placeOfPool(path))
        pools[path] = pool
        return pool
    }

    /// Where the pool that is named `path` was found.
    func placeOfPool(_ path: String) throws -> String {
        let places = [path] + searchFolders.map { "\($0)/\(path)" }
        guard let place = places.first(where: Folder.holdsFile) else {
            throw ConfigurationError(
                SourceMark(source: path),
                "this pool of objective.prompts is neither there nor in the folders "
                    + "\(searchFolders.joined(separator: ", ")); run sandbox in the folder that holds sweeps/, or set "
                    + "objective.prompts to the path of a pool")
        }
        return place
    }

    /// Hashes of what a run reads.
    func hashes(_ configuration: FineTuningConfiguration) throws -> InputHashes {
        let pool = try configuration.objective.prompts.map { try self.pool($0) }
        let parts = try corpus(configuration)
        var texts = pool?.prompts.flatMap { [$0.name, $0.text] }
        if let field = configuration.objective.field {
            // The corpus's own hash is that of what documents say.
            texts = (parts.training + parts.heldOut).map { $0.fields[field] ?? "" }
        }
        return InputHashes(
            model: try model(configuration.model).fingerprint,
            tokenizer: try tokenizerHash(configuration), corpus: parts.hash,
            prompts: texts.map { texts in
                let list = JSONValue.array(texts.map(JSONValue.string))
                return sha256Hex(Data(CanonicalJSON.text(of: list).utf8))
            })
    }

    /// How a run's documents become examples.
    ///
    /// - Parameter kind: another objective than the run's own, such as cpt for the loss on a text alone.
    func recipe(
        _ configuration: FineTuningConfiguration, as kind: ObjectiveKind? = nil
    ) throws -> ExampleRecipe {
        let model = try model(configuration.model).directory
        let tokenizer = try tokenizer(configuration)
        let length = try sequenceLength(configuration)
        let kind = kind ?? configuration.objective.kind
        let objective = Objective(
            kind, tokenizer: tokenizer, maximumLength: length,
            format: try answerFormat(configuration), truncates: configuration.objective.truncates,
            seed: configuration.seed)
        return ExampleRecipe(
            objective: objective,
            prompts: kind.usesContextualPrompt ? try promptSource(configuration) : nil,
            maximumLength: length, model: model, encoders: idleEncoders(configuration))
    }

    /// Tokens of a sequence at most.
    func sequenceLength(_ run: FineTuningConfiguration) throws -> Int {
        let positions = try model(run.model).directory.configuration.llama.positionCount
        let length = run.training.sequenceLength ?? positions
        guard length <= positions else {
            throw FineTuningError(
                run.model,
                "has \(positions) positions (max_position_embeddings), and training.sequence_length is \(length); lower it"
            )
        }
        return length
    }

    private func idleEncoders(_ run: FineTuningConfiguration) -> IdleEncoders {
        let names = [run.model, run.tokenizer ?? run.model]
        let known = encoders[names] ?? IdleEncoders()
        encoders[names] = known
        return known
    }

    /// Makes sure that every prompt of a run's pool leaves room for a text: later passes draw others than the first.
    func checkPrompts(_ run: FineTuningConfiguration) throws {
        guard let path = run.objective.prompts else { return }
        let objective = try recipe(run).objective
        let place = try placeOfPool(path)
        var encoder = objective.makeEncoder()
        for prompt in try pool(path).prompts {
            let text = CorpusDocument(.text("A text."), place: "\(place), prompt '\(prompt.name)'")
            _ = try objective.examples(of: text, prompt: prompt, encoder: &encoder)
        }
    }

    /// SHA-256 over the prompts that an endpoint made for a run's documents; nil where none did.
    func hashOfGeneratedPrompts(_ run: FineTuningConfiguration) throws -> String? {
        guard let generator = run.objective.generator else { return nil }
        let prompts = try generatedPrompts(generator, run)
        let parts = try corpus(run)
        let list = (parts.training + parts.heldOut).map {
            JSONValue.string(prompts[$0.digest] ?? "")
        }
        return sha256Hex(Data(CanonicalJSON.text(of: .array(list)).utf8))
    }

    private func answerFormat(_ configuration: FineTuningConfiguration) throws -> AnswerFormat {
        if let name = configuration.objective.chatTemplate { return try AnswerFormat(named: name) }
        let file = "\(configuration.tokenizer ?? configuration.model)/tokenizer_config.json"
        guard [.ift, .dpo].contains(configuration.objective.kind), Folder.holdsFile(file) else {
            return .plain
        }
        do {
            return try ChatTemplate.find(configuration: file).map(AnswerFormat.chat) ?? .plain
        } catch {
            let reason = "\(error)".replacing("\(file): ", with: "")
            throw FineTuningError(
                file,
                reason.prefix { $0 != "\n" }.trimmingCharacters(in: ["."])
                    + "; set objective.chat_template to the one that the model is to learn, or to plain"
            )
        }
    }

    private func promptSource(
        _ configuration: FineTuningConfiguration
    ) throws -> ContextualPromptSource {
        let objective = configuration.objective
        if let path = objective.prompts {
            let pool = try pool(path)
            let seed = configuration.seed
            return .drawn { pool.prompt(seed: seed, epoch: $0, document: $1) }
        }
        if let field = objective.field { return .field(field) }
        guard let generator = objective.generator else {
            preconditionFailure("the configuration was checked")
        }
        let prompts = try generatedPrompts(generator, configuration)
        return .made { document in
            ContextualPrompt(name: "generated", text: prompts[document.digest] ?? "")
        }
    }

    /// The file that keeps the prompts that an endpoint made.
    func cacheOfPrompts(_ generator: GeneratorConfiguration, _ run: FineTuningConfiguration)
        -> String
    {
        // By its whole path: a run's own config.yaml names the corpus otherwise, and asks for nothing again.
        let corpusPath = URL(fileURLWithPath: run.corpus.path[0]).standardizedFileURL.path
        return generator.cache ?? "\(corpusPath).prompts.jsonl"
    }

    /// The documents' own prompts, by digest; what the cache holds is not asked again.
    private func generatedPrompts(
        _ generator: GeneratorConfiguration, _ run: FineTuningConfiguration
    ) throws -> [String: String] {
        let request = GeneratedRequest(generator: generator, corpus: run.corpus)
        if let known = generated[request] { return known }
        let cache = cacheOfPrompts(generator, run)
        let parts = try corpus(run)
        let documents = parts.training + parts.heldOut
        for document in documents { try ObjectiveKind.textAdaptCFT.check(document) }
        let asked = documents.compactMap { document -> (String, String, String)? in
            guard case .text(let text) = document.content else { return nil }
            return (document.digest, text, document.place)
        }
        let maker = try PromptGenerator(
            options: generator.options, cachePath: cache, notice: notice)
        defer { preparing.ended() }
        let prompts = try maker.prompts(
            for: asked.map { (digest: $0.0, text: $0.1, place: $0.2) },
            progress: { [preparing] in preparing.advanced(.prompts, $0, $1) })
        let pairs = Dictionary(
            zip(documents.map(\.digest), prompts), uniquingKeysWith: { first, _ in first })
        generated[request] = pairs
        return pairs
    }
}

extension FineTuningInputs {
    /// The first examples that a run is trained on, or those it is measured on.
    ///
    /// - Parameters:
    ///   - configuration: the run.
    ///   - count: how many documents' examples; all where nil.
    ///   - heldOut: whether those of the held-out documents are wanted, in their order.
    public func examples(
        _ configuration: FineTuningConfiguration, count: Int? = nil, heldOut: Bool = false
    ) throws -> [TrainingExample] {
        let recipe = try recipe(configuration)
        let parts = try corpus(configuration)
        let documents = heldOut ? parts.heldOut : parts.training
        let order =
            heldOut
            ? Array(documents.indices.prefix(configuration.evaluation.documents ?? .max))
            : DocumentOrder.permutation(
                count: documents.count, seed: configuration.seed, epoch: 0)
        var encoder = recipe.objective.makeEncoder()
        return try order.prefix(count ?? .max).flatMap {
            try recipe.examples(documents[$0], index: $0, epoch: 0, encoder: &encoder)
        }
    }

    /// Examples token by token with their loss flags, as a person reads them.
    ///
    /// - Parameters:
    ///   - examples: what is shown.
    ///   - configuration: the run.
    ///   - colored: whether loss is shown by colour, for a terminal.
    public func maskListing(
        of examples: [TrainingExample], _ configuration: FineTuningConfiguration, colored: Bool
    ) throws -> String {
        MaskListing.text(
            of: examples, tokenizer: try tokenizer(configuration), colored: colored)
    }
}

extension ObjectiveKind {
    /// The form in which it learns from an imported entry.
    fileprivate var entryForm: EntryForm {
        switch self {
        case .cpt, .cft, .negCFT, .textAdaptCFT, .readingComprehension: .text
        case .ift: .question
        case .dpo: .preference
        }
    }
}
