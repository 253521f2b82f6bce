import Corpora
import Kernels
import LanguageModeling
import Objectives
import TestSupport
import Testing

@testable import FineTuning

/// What each update learns from.
@Suite struct BatchSourceTests {
    private let model: ModelDirectory

    init() throws { model = try ModelDirectory(path: Fixture.path("stories260K")) }

    private func source(
        _ count: Int, packs: Bool = true, batchSize: Int = 3, workers: Int = 1, seed: UInt64 = 0,
        preparing: PreparationReporter = PreparationReporter()
    ) throws -> BatchSource {
        let recipe = ExampleRecipe(
            objective: Objective(.cpt, tokenizer: try model.tokenizer(), maximumLength: 40),
            prompts: nil, maximumLength: 40, model: model)
        return BatchSource(
            recipe,
            documents: (0..<count).map {
                CorpusDocument(.text("the cat \($0)"), place: "document \($0)")
            }, packs: packs, batchSize: batchSize, seed: seed, pool: WorkerPool(workers: workers),
            preparing: preparing)
    }

    private func places(_ bins: [Bin]) -> [[String]] {
        bins.map { $0.examples.map(\.place) }
    }

    /// More documents than are made into bins at a time, so that two blocks meet in an update.
    @Test(arguments: [true, false])
    func everyDocumentComesOnceInEveryEpoch(packs: Bool) throws {
        let count = 8200
        let source = try source(count, packs: packs, batchSize: 7)
        let all = Set((0..<count).map { "document \($0)" })
        var step = 0
        var orders: [[String]] = []
        for epochs in [1, 2] {
            let end = try source.stepCount(epochs: epochs)
            var seen: [String] = []
            while step < end {
                let bins = try source.batch(step: step)
                #expect(!bins.isEmpty && bins.count <= 7)
                #expect(bins.count == 7 || step == end - 1, "update \(step) of \(end)")
                #expect(
                    bins.allSatisfy { bin in
                        bin.examples.reduce(0) { $0 + $1.tokens.count } <= 40
                    })
                seen += bins.flatMap { $0.examples.map(\.place) }
                step += 1
            }
            #expect(seen.count == count && Set(seen) == all, "epoch \(epochs)")
            orders.append(seen)
        }
        #expect(orders[0] != orders[1])
    }

    /// Any update can be asked for at any time, as a resumed run does; workers and counting change nothing.
    @Test func anUpdateDependsOnItsNumberAlone() throws {
        let straight = try source(50)
        let steps = try straight.stepCount(epochs: 3)
        let expected = try (0..<steps).map { places(try straight.batch(step: $0)) }
        for step in [steps - 1, 2, 0, 7] {
            #expect(try places(source(50, workers: 3).batch(step: step)) == expected[step])
            #expect(try places(straight.batch(step: step)) == expected[step])
        }
        #expect(try places(source(50, seed: 1).batch(step: 0)) != expected[0])
    }

    /// Who waits is told how many documents of all passes were looked through; training itself is told of by its steps.
    @Test func lookingThroughTheCorpusIsReported() throws {
        var told: [String] = []
        let source = try source(
            8200,
            preparing: PreparationReporter(
                advanced: { told.append("\($0) \($1)/\($2)") }, ended: { told.append("end") }))
        _ = try source.stepCount(epochs: 2)
        // A worker takes 512 documents at a time, and is told of after two such pieces.
        let pass = [1024, 2048, 3072, 4096, 5120, 6144, 7168, 8192, 8200]
        let expected = ([0] + pass + pass.map { $0 + 8200 }).map { "examples \($0)/16400" }
        #expect(told == expected + ["end"])
        _ = try source.batch(step: 0)
        #expect(told.count == expected.count + 1)
        told = []
        try self.source(
            20_000, packs: false,
            preparing: PreparationReporter(advanced: { told.append("\($1)/\($2)") })
        ).check(steps: 3)
        #expect(told.first == "0/8192" && told.last == "8192/8192")
    }

    @Test func aTokenThatTheModelDoesNotKnowIsNamed() throws {
        let folder = try TemporaryDirectory()
        let stories = Fixture.path("stories260K")
        var text = try String(contentsOfFile: "\(stories)/tokenizer.json", encoding: .utf8)
        let list = try #require(text.range(of: "\"added_tokens\": ["))
        let token =
            "{\"id\": 512, \"content\": \"<pad>\", \"single_word\": false, \"lstrip\": false, \"rstrip\": false, "
            + "\"normalized\": false, \"special\": false},"
        text.replaceSubrange(list.upperBound..<list.upperBound, with: token)
        let path = try folder.write(text, to: "tokenizer.json")
        let recipe = ExampleRecipe(
            objective: Objective(
                .cpt, tokenizer: try model.tokenizer(at: path), maximumLength: 40), prompts: nil,
            maximumLength: 40, model: model)
        let source = BatchSource(
            recipe, documents: [CorpusDocument(.text("a <pad> b"), place: "here")], packs: true,
            batchSize: 1, seed: 0, pool: WorkerPool(workers: 1))
        #expect {
            try source.batch(step: 0)
        } throws: { "\($0)".contains("'<pad>' with the id 512") }
    }
}
