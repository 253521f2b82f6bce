import Experiments
import Foundation
import TestSupport
import Training

@testable import Mechanism

/// A sweep of some milliseconds: one block, width 16, d = 2, a curriculum over dimensions and points.
let tinySweep = """
    version: 1
    name: tiny
    seeds: [0]
    model:
      n_dims: 2
      n_positions: 12
      n_embd: 16
      n_layer: 1
      n_head: 2
    pretraining:
      n_points: 6
      steps: 20
      batch_size: 32
      optimizer: {learning_rate: 1.0e-3}
      curriculum:
        dims: {start: 1, end: 2, inc: 1, interval: 5}
        points: {start: 4, end: 6, inc: 2, interval: 5}
    training:
      n_points: 6
      steps: 12
      batch_size: 32
      optimizer: {learning_rate: 1.0e-3}
    parameters:
      task: {parameters: {function_class: {value: multilinear}}}
      layout: {values: [cpt, cft]}
    evaluate:
      layouts: [cpt, cft]
      examples: 64
    """

/// ``tinySweep`` with values set as on the command line.
func tinyFile(_ overrides: [String], yaml: String = tinySweep) throws -> SweepFile {
    try SweepFile.load(
        yaml: yaml, path: "tiny.yaml", sections: SweepPlan.sections, overrides: overrides)
}

/// The plan of ``tinySweep`` with values set as on the command line.
func tinyPlan(
    _ overrides: String..., yaml: String = tinySweep, root: String = "nowhere"
) throws -> SweepPlan {
    try SweepPlan(tinyFile(overrides, yaml: yaml), root: root)
}

/// Counts what a runner does.
final class RunnerLog {
    /// The phases that were trained, by label.
    var phases: [String] = []
    /// Steps trained in all.
    var steps = 0
    /// Lines for the reader.
    var notices: [String] = []

    var reporter: RunReporter {
        RunReporter(
            began: { [self] label, _ in phases.append(label) },
            stepped: { [self] _, _ in steps += 1 }, noticed: { [self] in notices.append($0) })
    }
}

/// A runner of a plan in `folder`.
func runner(
    _ plan: SweepPlan, in folder: TemporaryDirectory, workers: Int = 2, log: RunnerLog = RunnerLog()
) -> SweepRunner {
    SweepRunner(
        plan: plan,
        trainer: RunTrainer(
            root: folder.path, workers: workers, programVersion: "test", reporter: log.reporter))
}

/// Runs a plan in `folder`; the first failure is thrown.
func run(
    _ plan: SweepPlan, in folder: TemporaryDirectory, workers: Int = 2,
    log: RunnerLog = RunnerLog(), request: SweepFile? = nil, policy: RunPolicy = RunPolicy()
) throws -> SweepResults {
    let runner = runner(plan, in: folder, workers: workers, log: log)
    let outcome = try runner.run(try request ?? tinyFile([]), policy: policy)
    if let failure = outcome.failures.first { throw RunError(description: failure.sentence) }
    guard let results = outcome.results else { throw RunError(description: "no run is finished") }
    return results
}

/// The bytes of a file.
func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }
