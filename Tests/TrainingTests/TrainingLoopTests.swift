import Experiments
import Foundation
import Kernels
import Platform
import TensorStorage
import TestSupport
import Testing
import Transformer

@testable import Training

@Suite struct TrainingLoopTests {
    @Test func convergesOnAQuadratic() throws {
        let folder = try TemporaryDirectory()
        let problem = Quadratic()
        var state = problem.freshState()
        let before = problem.loss(problem.values(state.parameters), step: 0)
        let loop = try problem.loop(options(steps: 300), in: try runDirectory(folder), state: state)
        #expect(try loop.run(&state) == .finished)
        let after = problem.loss(problem.values(state.parameters), step: 0)
        #expect(state.step == 300)
        #expect(before == 1.875 && after < 1e-6, "the loss went from \(before) to \(after)")
        let near = closeness(
            problem.values(state.parameters), problem.target, relative: 0, absolute: 1e-3)
        #expect(near.isWithin, "\(near)")
    }

    @Test func recordsHoldTheMeanLossSinceTheOneBefore() throws {
        let folder = try TemporaryDirectory()
        let directory = try runDirectory(folder)
        let problem = Quadratic(sway: 0.3)
        var state = problem.freshState()
        var losses: [Double] = []
        let plan = options(steps: 25)
        let loop = try problem.loop(plan, in: directory, state: state) { step, loss in
            losses.append(loss)
            #expect(losses.count == step)
        }
        #expect(try loop.run(&state) == .finished)
        let records = try RecordReader.read(directory.metricsPath)
        #expect(records.compactMap { $0["step"]?.integerValue } == [10, 20, 25])
        for (record, range) in zip(records, [0..<10, 10..<20, 20..<25]) {
            let mean = losses[range].reduce(0, +) / Double(range.count)
            #expect(record["train/loss"]?.doubleValue == mean)
            let rate = plan.schedule.rate(atStep: range.upperBound - 1)
            #expect(record["train/learning_rate"]?.doubleValue == rate)
            // The gradient's norm of a quadratic is √(2 · loss), of the last step alone.
            let norm = try #require(record["train/grad_norm"]?.doubleValue)
            #expect(abs(norm - (2 * losses[range.upperBound - 1]).squareRoot()) < 1e-5 * norm)
            #expect((record["perf/seconds_per_step"]?.doubleValue ?? -1) >= 0)
            let age = Date().timeIntervalSince1970 - (record["time"]?.doubleValue ?? 0)
            #expect(age >= 0 && age < 600)
        }
        let keys: Set = [
            "step", "train/loss", "train/grad_norm", "train/learning_rate",
            "perf/seconds_per_step", "time",
        ]
        let line = try String(contentsOfFile: directory.metricsPath, encoding: .utf8)
            .split(separator: "\n")[0]
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        #expect(object.map { Set($0.keys) } == keys)
    }

    @Test func clippingScalesTheGradientOnce() throws {
        let folder = try TemporaryDirectory()
        let problem = Quadratic()
        var state = problem.freshState()
        let norm = (2 * problem.loss(problem.values(state.parameters), step: 0)).squareRoot()
        let clipped = options(steps: 1, clipNorm: norm / 4)
        _ = try problem.loop(clipped, in: runDirectory(folder), state: state).run(&state)
        // m₁ = (1 − β₁) · g · min(1, clip / (norm + 1e-6)), and g = −t at p = 0.
        let expected = problem.target.map { -0.1 * $0 / 4 }
        let near = closeness(problem.values(state.moments.first), expected, relative: 1e-5)
        #expect(near.isWithin, "\(near)")
    }

    @Test(arguments: [
        Quadratic.Spoiled(step: 12, loss: .nan, norm: 1),
        Quadratic.Spoiled(step: 12, loss: 1, norm: .infinity),
    ])
    func stopsAtWhatIsNoNumber(_ spoiled: Quadratic.Spoiled) throws {
        let folder = try TemporaryDirectory()
        let directory = try runDirectory(folder)
        let problem = Quadratic(spoiled: spoiled)
        var state = problem.freshState()
        let loop = try problem.loop(
            options(steps: 30, checkpointSeconds: 0), in: directory, state: state)
        let error = #expect(throws: DivergenceError.self) { try loop.run(&state) }
        #expect(error?.step == 13)
        let sentence = error?.description ?? ""
        #expect(sentence.hasPrefix(directory.path) && sentence.contains("at step 13;"))
        #expect(
            sentence.contains("lower the phase's optimizer.learning_rate")
                && !sentence.contains("\n"))
        // No number comes out of the parameters after step 12: the good checkpoint is the one before.
        #expect(try directory.checkpointSteps() == [11])
        #expect(try directory.latestCheckpointStep() == 11)
        var kept = problem.freshState()
        let record = try Checkpoint.read(into: &kept, from: directory.latestCheckpointLink)
        #expect(record.step == 11 && problem.values(kept.parameters).allSatisfy(\.isFinite))
    }

    /// The loss of the last step is a number, and the update makes none of the parameters.
    @Test func refusesParametersThatAreNoNumbers() throws {
        let folder = try TemporaryDirectory()
        let directory = try runDirectory(folder)
        let problem = Quadratic()
        var state = problem.freshState()
        let loop = try problem.loop(
            options(steps: 4, rate: 1e38, decay: .constant), in: directory, state: state)
        let error = #expect(throws: DivergenceError.self) { try loop.run(&state) }
        #expect(error?.description.contains("; lower the phase's optimizer.learning_rate") == true)
        #expect(try directory.latestCheckpointStep() == 0)
    }

    @Test func aSignalEndsTheLoopAfterItsStepWithACheckpoint() async throws {
        let folder = try TemporaryDirectory()
        await #expect(processExitsWith: .exitCode(3)) { [path = folder.path as String] in
            InterruptFlag.install()
            let directory = RunDirectory(path: path + "/run")
            try directory.create()
            let problem = Quadratic()
            var state = problem.freshState()
            let loop = try problem.loop(options(steps: 50), in: directory, state: state) {
                step, _ in
                guard step == 7 else { return }
                kill(getpid(), SIGINT)
                for _ in 0..<1000 where !InterruptFlag.isRaised { usleep(5000) }
            }
            let outcome = try loop.run(&state)
            exit(outcome == .interrupted && state.step == 7 ? 3 : 1)
        }
        let directory = RunDirectory(path: folder.file("run"))
        #expect(try directory.latestCheckpointStep() == 7)
        let record = try Checkpoint.readState(directory.latestCheckpointLink)
        #expect(record.step == 7 && record.lossCount == 7 && record.files["metrics.jsonl"] == 0)
    }

    @Test func noStepAtAllLeavesTheInitialParameters() throws {
        let folder = try TemporaryDirectory()
        let directory = try runDirectory(folder)
        let problem = Quadratic()
        var state = problem.freshState()
        state.parameters[0] = 0.5
        let loop = try problem.loop(options(steps: 0), in: directory, state: state)
        #expect(try loop.run(&state) == .finished)
        var read = problem.freshState()
        let path = directory.checkpointPath(step: 0)
        #expect(try Checkpoint.read(into: &read, from: path).step == 0)
        #expect(read.parameters[0] == 0.5)
    }
}
