import Experiments
import Foundation
import Kernels
import TensorStorage
import TestSupport
import Testing
import Training

@testable import Mechanism

@Suite struct SweepRunnerTests {
    @Test func trainsOneBaseForEverything() throws {
        let folder = try TemporaryDirectory()
        let log = RunnerLog()
        let plan = try tinyPlan(
            "task.function_class=[polynomial, multilinear]", "seeds=2", "training.steps=3")
        let results = try run(plan, in: folder, log: log)
        #expect(results.runs.count == 8 && results.bases.count == 1)
        #expect(log.phases.count == 9 && log.phases[0].hasPrefix("pretraining linear-s0-"))
        #expect(log.steps == 20 + 8 * 3)
        let manager = FileManager.default
        #expect(
            try manager.contentsOfDirectory(atPath: folder.file("bases")) == [plan.bases[0].name])
        let runs = try manager.contentsOfDirectory(atPath: folder.file("tiny"))
        #expect(Set(runs).isSuperset(of: plan.runs.map(\.name)))
        let manifest = try #require(try SweepDirectory(path: folder.file("tiny")).manifest())
        #expect(manifest.trials.map(\.run) == plan.runs.map(\.name))
        #expect(manifest.trials.allSatisfy { $0.status == .finished && $0.error == nil })
        #expect(manifest.trials.allSatisfy { $0.base == plan.bases[0].name })
        for run in results.runs {
            let metadata = try #require(try RunDirectory(path: run.path).metadata())
            #expect(metadata.status == .finished && metadata.step == 3)
            #expect(metadata.blasKernel == BLAS.kernelName && metadata.sandboxVersion == "test")
            #expect(run.losses.map(\.step) == [3] && run.cells.map(\.layout) == [.cpt, .cft])
        }
        // Another seed and another layout end at other weights.
        let weights = try plan.runs.map {
            try bytes(folder.file("tiny/\($0.name)/checkpoints/latest/model.safetensors"))
        }
        #expect(Set(weights).count == 8)
    }

    @Test func bitsDoNotDependOnTheWorkers() throws {
        let plan = try tinyPlan()
        let folders = try [1, 2, 4].map { workers in
            let folder = try TemporaryDirectory()
            _ = try run(plan, in: folder, workers: workers)
            return folder
        }
        let paths = ["bases/\(plan.bases[0].name)"] + plan.runs.map { "tiny/\($0.name)" }
        for path in paths {
            for name in ["model.safetensors", "optimizer.safetensors"] {
                let files = try folders.map {
                    try bytes($0.file("\(path)/checkpoints/latest/\(name)"))
                }
                #expect(files[1] == files[0] && files[2] == files[0], "\(path) \(name)")
            }
            let records = try folders.map {
                try recordsWithoutTimes($0.file("\(path)/metrics.jsonl"))
            }
            #expect(records[1] == records[0] && records[2] == records[0] && !records[0].isEmpty)
            let evaluation = try folders.map {
                try FolderSnapshot($0.file(path)) { $0.hasPrefix("evaluations/") }
                    .files.mapValues(\.contents)
            }
            #expect(evaluation[1] == evaluation[0] && evaluation[2] == evaluation[0])
            #expect(!evaluation[0].isEmpty)
        }
    }

    @Test func aFinishedSweepIsOnlyRead() throws {
        let folder = try TemporaryDirectory()
        let first = try run(try tinyPlan(), in: folder)
        let isWork = { (path: String) in
            !path.hasSuffix("manifest.json") && !path.hasSuffix("sweep.yaml")
                && !path.hasSuffix("lock")
        }
        let before = try FolderSnapshot(folder.path, where: isWork)
        let log = RunnerLog()
        let again = try run(try tinyPlan(), in: folder, log: log)
        #expect(log.phases.isEmpty && log.steps == 0)
        #expect(try FolderSnapshot(folder.path, where: isWork).changes(since: before) == [])
        #expect(before.files.keys.contains { $0.hasSuffix("cft.standard.safetensors") })
        for (a, b) in zip(first.runs, again.runs) {
            #expect(a.losses.map(\.loss) == b.losses.map(\.loss))
            for (x, y) in zip(a.cells, b.cells) {
                #expect(firstDifference(x.errors.array, y.errors.array) == nil)
            }
        }
    }

    @Test func aChangedEvaluationTrainsNothing() throws {
        let folder = try TemporaryDirectory()
        let plan = try tinyPlan()
        let few = try run(plan, in: folder)
        let isWeight = { (path: String) in
            path.contains("checkpoints/") || path.hasSuffix("metrics.jsonl")
        }
        let before = try FolderSnapshot(folder.path, where: isWeight)
        let log = RunnerLog()
        let many = try run(
            try tinyPlan("evaluate.examples=100", "evaluate.layouts=[cpt, cft, neg-cft]"),
            in: folder, log: log)
        #expect(log.phases.isEmpty)
        #expect(try FolderSnapshot(folder.path, where: isWeight).changes(since: before) == [])
        let path = folder.file("tiny/\(plan.runs[0].name)")
        for layout in ["cpt", "cft", "neg-cft"] {
            let file = try SafetensorsFile(
                path: "\(path)/evaluations/step_12/\(layout).standard.safetensors")
            #expect(file["squared_error"]?.shape == [100, 6])
        }
        #expect(many.runs[0].cells.count == 3)
        let near = closeness(
            Array(many.runs[0].cells[0].errors.array.prefix(64 * 6)),
            few.runs[0].cells[0].errors.array, relative: 2e-5, absolute: 1e-5)
        #expect(near.isWithin, "\(near)")
        // The same number of other prompts: only the kept hash tells.
        let other = try run(
            try tinyPlan("evaluate.examples=100", "evaluate.seed=1"), in: folder, log: log)
        let pair = [other, many].map { $0.runs[0].cells[0].errors.array }
        #expect(firstDifference(pair[0], pair[1]) != nil)
        #expect(log.phases.isEmpty)
        let records = try RecordReader.read(path + "/evaluations.jsonl")
        #expect(
            records.compactMap { $0["examples"]?.integerValue } == [
                64, 64, 100, 100, 100, 100, 100,
            ])
    }

    /// One value more gives the runs other labels; the folders of those that are done stay.
    @Test func aWiderSweepKeepsWhatIsDone() throws {
        let folder = try TemporaryDirectory()
        _ = try run(try tinyPlan("layout=cpt", root: folder.path), in: folder)
        let log = RunnerLog()
        let plan = try tinyPlan("layout=[cpt, cft]", root: folder.path)
        _ = try run(plan, in: folder, log: log)
        #expect(log.phases == ["multilinear \(plan.runs[1].name)"])
        #expect(plan.runs[0].name.hasPrefix("s0-") && plan.runs[1].name.hasPrefix("cft-s0-"))
        let aliased = try tinyPlan("layout=[uft, cft]", root: folder.path)
        #expect(aliased.runs.map(\.name) == plan.runs.map(\.name))
    }

    @Test func aModelIsAlwaysMeasuredUnderItsOwnLayout() throws {
        let folder = try TemporaryDirectory()
        let results = try run(
            try tinyPlan("layout=[cpt-shifted]", "evaluate.layouts=[cpt]"), in: folder)
        #expect(results.runs[0].cells.map(\.layout) == [.cpt, .shiftedCPT])
    }

    @Test func noStepsMeasureTheBaseItself() throws {
        let folder = try TemporaryDirectory()
        let plan = try tinyPlan("training.steps=0", "layout=cpt")
        let results = try run(plan, in: folder)
        #expect(results.runs[0].losses.isEmpty && results.runs[0].cells.count == 2)
        let files = ["bases/\(plan.bases[0].name)", "tiny/\(plan.runs[0].name)"].map {
            folder.file("\($0)/checkpoints/latest/model.safetensors")
        }
        #expect(try bytes(files[0]) == bytes(files[1]))
    }

    @Test func aRunThatDivergesIsMarkedAndSaid() throws {
        let folder = try TemporaryDirectory()
        let plan = try tinyPlan("training.optimizer.learning_rate=1.0e30", "layout=[cpt, cft]")
        let error = #expect(throws: DivergenceError.self) { try run(plan, in: folder) }
        let sentence = try #require(error?.description)
        #expect(sentence.contains(plan.runs[0].name) && sentence.contains("at step "))
        let path = folder.file("tiny/\(plan.runs[0].name)")
        let metadata = try #require(try RunDirectory(path: path).metadata())
        #expect(metadata.status == .failed && metadata.error == sentence)
        let manifest = try #require(try SweepDirectory(path: folder.file("tiny")).manifest())
        #expect(manifest.trials.map(\.status) == [.failed, .queued])
        #expect(manifest.trials.map(\.error) == [sentence, nil])
    }

    /// An evaluation file that was cut is measured again; a run without its checkpoint is an error.
    @Test func damagedFilesAreNoticed() throws {
        let folder = try TemporaryDirectory()
        let plan = try tinyPlan("layout=cpt")
        _ = try run(plan, in: folder)
        let path = folder.file("tiny/\(plan.runs[0].name)")
        let file = path + "/evaluations/step_12/cft.standard.safetensors"
        let whole = try bytes(file)
        try whole.prefix(whole.count - 5).write(to: URL(fileURLWithPath: file))
        _ = try run(plan, in: folder)
        #expect(try bytes(file) == whole)

        try FileManager.default.removeItem(atPath: file)
        try FileManager.default.removeItem(atPath: path + "/checkpoints")
        let error = #expect(throws: ModelFolderError.self) { try run(plan, in: folder) }
        #expect(
            error?.description
                == "\(path) is a run without a checkpoint; delete it (sandbox runs rm \(path)) and run the sweep "
                + "again, which makes it anew")
    }

    @Test func twoProcessesCannotTrainOneRun() throws {
        let folder = try TemporaryDirectory()
        let plan = try tinyPlan("layout=cpt")
        let held = RunDirectory(path: folder.file("bases/\(plan.bases[0].name)"))
        let lock = try held.lock()
        let error = #expect(throws: (any Error).self) { try run(plan, in: folder) }
        #expect(
            error.map { "\($0)" }
                == "the run '\(held.path)' is held by process \(getpid()); wait for it or stop it")
        lock.release()
        #expect(try run(plan, in: folder).runs.count == 1)
    }
}
