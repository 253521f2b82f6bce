import Experiments
import Foundation
import Platform
import TestSupport
import Testing
import Training

@testable import Mechanism

/// What a runner makes of runs that others work on, or should have worked on.
@Suite struct SharedRunTests {
    /// A process that dies before it has begun leaves the run as it was: finished, and not restarted.
    @Test func whatAProcessLeftUndoneIsRestartedHere() throws {
        let folder = try TemporaryDirectory()
        let plan = try tinyPlan("seeds=2", "layout=cpt", root: folder.path)
        _ = try run(plan, in: folder)
        let log = RunnerLog()
        let trainer = runner(plan, in: folder, log: log).trainer
        var given: [String] = []
        let others = SweepRunner(plan: plan, trainer: trainer) { configurations, policy in
            #expect(policy.restarts)
            given = configurations
            return Set(configurations.prefix(1))
        }
        let outcome = try others.run(try tinyFile([]), policy: RunPolicy(restarts: true))
        #expect(outcome.failures.isEmpty && outcome.results?.runs.count == 2)
        #expect(given.count == 2)
        // The other one was said to be done.
        #expect(log.phases == ["multilinear \(plan.runs[0].name)"])
        #expect(log.notices.contains { $0.contains("ended too early; its work is done here") })
    }

    /// Another process begins a run anew between the moment it was seen finished and the moment it is read.
    @Test func aRunThatIsBegunAnewMeanwhileIsReadAgain() throws {
        let folder = try TemporaryDirectory()
        let plan = try tinyPlan("seeds=2", "layout=cpt", root: folder.path)
        let before = try run(plan, in: folder)
        let (first, second) = (
            RunDirectory(path: before.runs[0].path), RunDirectory(path: before.runs[1].path)
        )
        var metadata = try #require(try second.metadata())
        metadata.become(.interrupted, at: Date())
        try second.write(metadata)
        let held = try second.lock()
        let log = RunnerLog()
        var reporter = log.reporter
        reporter.noticed = { line in
            guard line.hasPrefix("waiting for ") else { return }
            let lock = try? first.lock()
            try? first.clear()
            lock?.release()
            held.release()
        }
        let trainer = RunTrainer(
            root: folder.path, workers: 2, programVersion: "test", reporter: reporter)
        let outcome = try SweepRunner(plan: plan, trainer: trainer).run(try tinyFile([]))
        #expect(outcome.failures.isEmpty && outcome.results?.runs.count == 2)
        #expect(log.phases.last == "multilinear \(first.name)")
        // What is wrong for another reason is told and not tried for ever.
        try folder.write("{\n", to: "tiny/\(first.name)/metrics.jsonl")
        let error = #expect(throws: SystemError.self) { try run(plan, in: folder) }
        #expect(error?.description.contains("metrics.jsonl") == true)
    }
}
