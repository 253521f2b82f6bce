import Experiments
import Foundation
import TestSupport
import Testing

/// A real sweep in miniature, trained once for the suite that asks for it.
///
/// d = 2 and seven points: a base of three blocks learns to regress in 2,500 steps, from which 300 steps of
/// fine-tuning on the polynomial class tell the layouts apart. Ten to forty seconds on two cores.
struct MiniatureSweep: Sendable {
    @TaskLocal static var current: MiniatureSweep?

    static let points = 7
    static let dims = 2
    static let layouts = ["cpt", "cft", "neg-cft"]
    static let text = """
        version: 1
        name: miniature
        seeds: [0, 1]
        model: {family: gpt2, n_dims: 2, n_positions: 14, n_embd: 32, n_layer: 3, n_head: 2}
        pretraining:
          n_points: 7
          steps: 2500
          batch_size: 32
          optimizer: {name: adam, learning_rate: 3.0e-3, clip_norm: 1.0}
          schedule: {name: cosine, warmup_steps: 200}
        training:
          n_points: 7
          steps: 300
          batch_size: 32
          optimizer: {name: adam, learning_rate: 1.0e-3}
        parameters:
          task: {parameters: {function_class: {value: polynomial}}}
          layout: {values: [cpt, cft, neg-cft]}
        evaluate: {examples: 1024}

        """
    /// The command that made it and, asked again, finds everything done.
    static let arguments = ["sweep", "-f", "miniature.yaml", "--format", "png,svg,pdf"]

    let folder: TemporaryDirectory
    /// How the sweep ended.
    let outcome: ChildProcess.Outcome

    init() throws {
        folder = try TemporaryDirectory()
        try folder.write(Self.text, to: "miniature.yaml")
        outcome = try Program.run(Self.arguments, in: folder.path)
    }

    var path: String { folder.file("runs/miniature") }

    /// The sweep's table of runs.
    func manifest() throws -> SweepManifest {
        try #require(try SweepDirectory(path: path).manifest())
    }

    /// The rows of summary.csv by column.
    func rows() throws -> [[String: String]] {
        let table = try CSVTable.read(path + "/summary.csv")
        return table.rows.map { Dictionary(uniqueKeysWithValues: zip(table.header, $0)) }
    }

    /// The runs trained under a layout, one for each seed.
    func runs(_ layout: String) throws -> [RunDirectory] {
        try manifest().trials.filter { $0.varying.map(\.text) == [layout] }
            .map { RunDirectory(path: "\(path)/\($0.run)") }
    }
}

/// Trains the ``MiniatureSweep`` before a suite's first test and removes it after the last.
struct MiniatureSweepTrait: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: () async throws -> Void
    ) async throws {
        try await MiniatureSweep.$current.withValue(try MiniatureSweep(), operation: function)
    }
}

extension Trait where Self == MiniatureSweepTrait {
    /// A miniature sweep, trained once for the suite.
    static var miniatureSweep: Self { Self() }
}
