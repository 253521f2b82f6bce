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
            let folder = "\(path)/evaluations/step_12"
            let first = try SafetensorsFile(path: "\(folder)/\(layout).standard.safetensors")
            // What was measured first stays; other prompts have files of their own.
            #expect(first["squared_error"]?.shape == [layout == "neg-cft" ? 100 : 64, 6])
            let others = try FileManager.default.contentsOfDirectory(atPath: folder + "/other")
                .filter { $0.hasPrefix("\(layout).standard.") }
            #expect(others.count == (layout == "neg-cft" ? 0 : 1))
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

    @Test func aRunThatDivergesIsMarkedAndSaidAndTheOthersAreRun() throws {
        let folder = try TemporaryDirectory()
        let yaml = tinySweep.replacingOccurrences(
            of: "layout: {values: [cpt, cft]}",
            with: "layout: {value: cft}\n  training: {parameters: {optimizer: {parameters: "
                + "{learning_rate: {values: [1.0e30, 1.0e-3]}}}}}")
        let plan = try tinyPlan(yaml: yaml)
        #expect(plan.runs.count == 2)
        let log = RunnerLog()
        let runner = runner(plan, in: folder, log: log)
        let outcome = try runner.run(tinyFile([], yaml: yaml))
        let sentence = try #require(outcome.failures.first?.sentence)
        #expect(outcome.failures.count == 1)
        #expect(sentence.contains(plan.runs[0].name) && sentence.contains("at step 2;"))
        #expect(outcome.results?.runs.map(\.plan.name) == [plan.runs[1].name])
        let path = folder.file("tiny/\(plan.runs[0].name)")
        let failed = RunDirectory(path: path)
        let metadata = try #require(try failed.metadata())
        #expect(metadata.status == .failed && metadata.error == sentence && metadata.step == 0)
        #expect(try failed.latestCheckpointStep() == 0)
        #expect(try String(contentsOfFile: failed.logPath, encoding: .utf8).contains(sentence))
        let manifest = try #require(try SweepDirectory(path: folder.file("tiny")).manifest())
        #expect(manifest.trials.map(\.status) == [.failed, .finished])
        #expect(manifest.trials.map(\.error) == [sentence, nil])

        // Asked again it is only said again; a retry fails at the same step.
        let before = log.phases.count
        let again = try runner.run(tinyFile([], yaml: yaml))
        #expect(log.phases.count == before)
        #expect(
            again.failures.first?.sentence
                == sentence + " (it failed earlier; --retry-failed tries it again from there)")
        let retried = try runner.run(
            tinyFile([], yaml: yaml), policy: RunPolicy(retriesFailed: true))
        #expect(log.phases.count == before + 1 && retried.failures.first?.sentence == sentence)
        #expect(try failed.metadata()?.sessions.count == 2)
    }

    @Test func aFailedBaseFailsItsRunsAlone() throws {
        let folder = try TemporaryDirectory()
        let yaml = tinySweep.replacingOccurrences(
            of: "layout: {values: [cpt, cft]}",
            with: "layout: {value: cft}\n  pretraining: {parameters: {optimizer: {parameters: "
                + "{learning_rate: {values: [1.0e30, 1.0e-3]}}}}}")
        let plan = try tinyPlan(yaml: yaml)
        let outcome = try runner(plan, in: folder).run(tinyFile([], yaml: yaml))
        #expect(outcome.failures.map(\.run) == [folder.file("bases/\(plan.bases[0].name)")])
        #expect(outcome.results?.runs.map(\.plan.name) == [plan.runs[1].name])
        #expect(outcome.results?.bases.map(\.plan.name) == [plan.bases[1].name])
    }

    @Test func aRestartTrainsAgainWhateverIsThere() throws {
        let folder = try TemporaryDirectory()
        let plan = try tinyPlan("layout=cpt")
        let first = try run(plan, in: folder)
        let directory = RunDirectory(path: first.runs[0].path)
        let weights = try bytes(directory.latestCheckpointLink + "/model.safetensors")
        try Data("{".utf8).write(to: URL(fileURLWithPath: directory.metadataPath))
        try Data("mine".utf8).write(to: URL(fileURLWithPath: directory.path + "/note"))
        let error = #expect(throws: RunError.self) { try run(plan, in: folder) }
        #expect(error?.description.contains(directory.metadataPath) == true)
        let log = RunnerLog()
        let again = try run(plan, in: folder, log: log, policy: RunPolicy(restarts: true))
        // The base is shared with other sweeps: it stays.
        #expect(log.phases == ["multilinear \(plan.runs[0].name)"])
        #expect(again.runs[0].losses.map(\.loss) == first.runs[0].losses.map(\.loss))
        #expect(try bytes(directory.latestCheckpointLink + "/model.safetensors") == weights)
        #expect(!FileManager.default.fileExists(atPath: directory.path + "/note"))
    }

    /// An evaluation file that was cut is measured again; a run without its checkpoint is an error.
    @Test func damagedFilesAreNoticed() throws {
        let folder = try TemporaryDirectory()
        let plan = try tinyPlan("layout=cpt")
        _ = try run(plan, in: folder)
        let path = folder.file("tiny/\(plan.runs[0].name)")
        let file = path + "/evaluations/step_12/cft.standard.safetensors"
        let whole = try bytes(file)
        var flipped = whole
        flipped[whole.count - 9] ^= 4
        for damaged in [whole.prefix(whole.count - 5), flipped] {
            try damaged.write(to: URL(fileURLWithPath: file))
            _ = try run(plan, in: folder)
            #expect(try bytes(file) == whole)
        }
        let records = try bytes(path + "/evaluations.jsonl")
        #expect(records.count { $0 == UInt8(ascii: "\n") } == 2)

        // Losses that are gone are not taken for none.
        let metrics = try bytes(path + "/metrics.jsonl")
        try metrics.prefix(40).write(to: URL(fileURLWithPath: path + "/metrics.jsonl"))
        let cut = #expect(throws: (any Error).self) { try run(plan, in: folder) }
        #expect(cut.map { "\($0)".contains("has 40 bytes") } == true)
        try metrics.write(to: URL(fileURLWithPath: path + "/metrics.jsonl"))

        try FileManager.default.removeItem(atPath: file)
        try FileManager.default.removeItem(atPath: path + "/checkpoints")
        let error = #expect(throws: RunError.self) { try run(plan, in: folder) }
        #expect(
            error?.description
                == "'\(path)' is a finished run without a checkpoint; restore it, or delete the folder '\(path)' "
                + "to train it anew")
    }

    @Test func aFolderOfAnotherRunIsNotTakenForThisOne() throws {
        let folder = try TemporaryDirectory()
        let plan = try tinyPlan("layout=cpt")
        _ = try run(plan, in: folder)
        let directory = RunDirectory(path: folder.file("tiny/\(plan.runs[0].name)"))
        let whole = try bytes(directory.configurationPath)
        let edited = String(decoding: whole, as: UTF8.self)
            .replacingOccurrences(of: "batch_size: 32", with: "batch_size: 16")
        try Data(edited.utf8).write(to: URL(fileURLWithPath: directory.configurationPath))
        let error = #expect(throws: RunError.self) { try run(plan, in: folder) }
        #expect(
            error?.description.hasPrefix(
                "'\(directory.configurationPath)' describes another run (hash ") == true)
        try whole.write(to: URL(fileURLWithPath: directory.configurationPath))

        var metadata = try #require(try directory.metadata())
        metadata.hash = String(metadata.hash.prefix(8)) + String(repeating: "0", count: 56)
        try directory.write(metadata)
        let other = #expect(throws: RunError.self) { try run(plan, in: folder) }
        #expect(
            other?.description.hasPrefix(
                "'\(directory.path)' holds another run than the one asked for (hash ") == true)
    }

    /// Another process holds the base for a while: this one waits, and says for whom.
    @Test func waitsForWhatAnotherProcessHolds() throws {
        let folder = try TemporaryDirectory()
        let plan = try tinyPlan("layout=cpt")
        let held = RunDirectory(path: folder.file("bases/\(plan.bases[0].name)"))
        try held.create()
        let ready = folder.file("ready")
        let holder = try ChildProcess(
            "sh",
            [
                "-c", "exec 9>\"$1\"; flock 9; echo $$ >&9; : > \"$2\"; sleep 1", "sh",
                held.lockPath, ready,
            ])
        try holder.wait(timeout: 20) { _ in FileManager.default.fileExists(atPath: ready) }
        let log = RunnerLog()
        #expect(try run(plan, in: folder, log: log).runs.count == 1)
        let waited = log.notices.filter {
            $0.hasPrefix("waiting for \(held.path), held by process ")
        }
        #expect(waited.count == 1, "\(log.notices)")
    }

    @Test func metadataAndEventsTellTheWholeStory() throws {
        let folder = try TemporaryDirectory()
        let file = try tinyFile(["layout=cft", "training.steps=25"])
        let plan = try SweepPlan(file, root: folder.path)
        let results = try run(plan, in: folder, workers: 2, request: file)
        let directory = RunDirectory(path: results.runs[0].path)
        let metadata = try #require(try directory.metadata())
        #expect(metadata.hash == plan.runs[0].hash && metadata.sweep == "tiny")
        #expect(metadata.base == plan.bases[0].name && metadata.sessions.map(\.step) == [0])
        #expect(metadata.sessions[0].workers == 2 && metadata.libraries["openblas"] != nil)
        let manifest = try #require(try SweepDirectory(path: folder.file("tiny")).manifest())
        #expect(manifest.overrides == ["layout=cft", "training.steps=25"])
        #expect(manifest.evaluate["examples"] == 64)
        // config.yaml is a file that describes this very run.
        let again = try SweepPlan(
            SweepFile.load(path: directory.configurationPath, sections: SweepPlan.sections),
            root: folder.path)
        #expect(again.name == "tiny" && again.runs.map(\.hash) == [metadata.hash])
        #expect(again.runs.map(\.name) == [directory.name])

        let events = try EventFile.paths(in: directory.path).flatMap { try EventReader.read($0) }
        let scalars = events.flatMap { event in event.values.map { (event.step, $0.tag) } }
        #expect(scalars.filter { $0.1 == "train/loss" }.map(\.0) == [10, 20, 25])
        #expect(scalars.filter { $0.1 == "eval/cft/squared_error" }.map(\.0) == [25])
        #expect(scalars.filter { $0.1 == "_hparams_/session_start_info" }.count == 1)
        #expect(scalars.filter { $0.1 == "_hparams_/session_end_info" }.count == 1)
        let curve = try EventFile.paths(in: directory.curvesPath + "/cft.standard")
        #expect(curve.count == 1)
        #expect(try curve.flatMap { try EventReader.read($0) }.map(\.step) == Array(0..<6))
    }

    /// A run without a step has nothing to measure along its steps.
    @Test func dynamicsOfARunWithoutSteps() throws {
        let folder = try TemporaryDirectory()
        let results = try run(
            tinyPlan("training.steps=0", "evaluate.dynamics={examples: 32}"), in: folder)
        #expect(results.runs.allSatisfy { $0.dynamics == nil })
        let trained = try run(
            tinyPlan(
                "evaluate.dynamics={examples: 32, alignment_examples: 16}",
                "evaluate.probes={examples: 32}"), in: folder)
        for run in trained.runs {
            let dynamics = try #require(run.dynamics)
            #expect(dynamics.steps == [1, 2, 5, 10, 12] && dynamics.contexts == [0, 1, 2, 4, 5])
            #expect(dynamics.both.map(\.count) == Array(repeating: 16 * 5, count: 5))
            #expect(dynamics.token.map(\.count) == Array(repeating: 16 * 6, count: 5))
            // The last step's errors are those of the model that is kept, on the same prompts.
            let last = try #require(dynamics.errors[run.plan.configuration.layout]?.last).array
            let cell = try #require(run.cell(run.plan.configuration.layout)).errors.array
            let near = closeness(
                last, Array(cell.prefix(last.count)), relative: 2e-5, absolute: 1e-5)
            #expect(near.isWithin, "\(near)")
            #expect(run.probes?.base.count == 2 * 6)
        }
    }

    /// Without the weights of earlier steps the run is done all the same, and what is missing is said.
    @Test func missingSnapshotsAreSaid() throws {
        let folder = try TemporaryDirectory()
        let log = RunnerLog()
        let results = try run(
            tinyPlan("training.snapshots=none", "evaluate.dynamics={examples: 32}"), in: folder,
            log: log)
        #expect(results.runs.allSatisfy { $0.dynamics == nil })
        #expect(log.notices.contains { $0.contains("snapshots=log") })
    }
}
