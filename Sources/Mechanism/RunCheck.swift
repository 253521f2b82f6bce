import Experiments
import Foundation
import Kernels
import Platform
import TensorStorage
import Training
import Transformer

/// Everything that can be checked about one run without training it.
struct RunCheck {
    private(set) var summary = ""
    private(set) var problems: [StoredProblem] = []
    private let run: CatalogedRun

    init(_ run: CatalogedRun) {
        self.run = run
        guard let metadata = run.metadata else {
            note(run.directory.metadataPath, run.problem ?? "cannot be read")
            return
        }
        // A language model's configuration and checkpoints are read by other rooms; what is stored is checked all the same.
        let isText = run.isText
        var recorded: RecordedRun?
        if !isText { attempt(run.directory.configurationPath) { recorded = try RecordedRun(run) } }
        if let recorded { checkIdentity(recorded) }
        checkRecords()
        checkCurves()
        var step: Int?
        attempt(run.directory.checkpointsPath) { step = try run.directory.latestCheckpointStep() }
        checkLink()
        if let step {
            if let recorded { checkCheckpoint(recorded, step: step) }
            if isText {
                let folder = run.directory.checkpointPath(step: step)
                attempt(folder) { _ = try Checkpoint.checkedState(folder) }
                checkProducts()
            }
        } else if metadata.status == .finished {
            note(
                run.directory.checkpointsPath,
                "the run is finished and has no checkpoint; remove the run and make it again")
        }
        if let recorded { checkEvaluations(recorded) }
        summary = "run, \(run.status?.rawValue ?? "")" + (step.map { " at step \($0)" } ?? "")
    }

    /// Reads a checkpoint as a resumed run would.
    ///
    /// - Returns: the parameters.
    static func readCheckpoint(_ folder: String, decoder: Decoder) throws -> FloatView {
        let parameters = FloatView(zeros: decoder.layout.count)
        var state = TrainingState(layout: decoder.layout, parameters: parameters)
        _ = try Checkpoint.read(into: &state, from: folder)
        return parameters
    }

    // MARK: Parts

    /// The hash in the folder's name belongs to the configuration.
    private mutating func checkIdentity(_ recorded: RecordedRun) {
        let path = run.directory.configurationPath
        var hash: String?
        attempt(path) {
            switch recorded.kind {
            case .run(let configuration):
                guard let base = try configuration.base.identity() else { return }
                hash = try CanonicalJSON.hash(
                    configuration.identity(baseHash: CanonicalJSON.hash(base)))
            case .base(let configuration):
                hash = try configuration.identity().map { try CanonicalJSON.hash($0) }
            }
        }
        guard let hash, !run.name.hasSuffix("-" + hash.prefix(8)) else { return }
        note(
            path,
            "describes a run whose name ends in \(hash.prefix(8)), and the folder is named '\(run.name)'; "
                + "restore config.yaml or the folder's name")
    }

    private var isFinished: Bool { run.metadata?.status == .finished }

    private mutating func checkRecords() {
        for (path, isEvaluations) in [
            (run.directory.metricsPath, false), (run.directory.evaluationsPath, true),
        ] where FileManager.default.fileExists(atPath: path) {
            problems +=
                RecordCheck(
                    path: path, isEvaluations: isEvaluations, mayBeUnfinished: !isFinished
                ).problems
        }
    }

    /// What a language model's run leaves for others to read.
    private mutating func checkProducts() {
        func path(_ name: String) -> String { "\(run.directory.path)/\(name)" }
        let result = Folder.isFolder(path("adapter")) ? "adapter" : "model"
        if isFinished && !Folder.isFolder(path(result)) {
            note(path(result), "is missing; the same command writes it again")
        }
        for (folder, cure) in [
            (result, "remove the folder, and the same command writes it again"),
            ("best", "remove the run and make it again"),
        ] where Folder.isFolder(path(folder)) {
            let names = (try? Folder.contents(of: path(folder))) ?? []
            if !names.contains(where: { $0.hasSuffix(".safetensors") }) {
                note(path(folder), "holds no safetensors; \(cure)")
            }
            for name in names {
                let file = "\(path(folder))/\(name)"
                do {
                    if name.hasSuffix(".safetensors") { _ = try SafetensorsFile(path: file) }
                    if name.hasSuffix(".json") {
                        _ = try JSONDecoder().decode(JSONValue.self, from: WholeFile.read(file))
                    }
                } catch {
                    note(file, "is damaged; \(cure)")
                }
            }
        }
    }

    private mutating func checkLink() {
        let link = run.directory.latestCheckpointLink
        guard
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: link),
            !FileManager.default.fileExists(atPath: link)
        else { return }
        note(
            link,
            "points to '\(target)', which is missing; remove the link to take the highest checkpoint that is there"
        )
    }

    private mutating func checkCheckpoint(_ recorded: RecordedRun, step: Int) {
        let folder = run.directory.checkpointPath(step: step)
        attempt(folder) {
            let parameters = try Self.readCheckpoint(folder, decoder: recorded.model.decoder)
            if let index = parameters.array.firstIndex(where: { !$0.isFinite }) {
                throw ModelFolderError(
                    description:
                        "\(folder)/model.safetensors: number \(index) is not finite; remove the run and make it again"
                )
            }
        }
        checkAgainst(folder)
        if isFinished, let steps = recorded.steps, steps != step {
            note(
                folder,
                "the run is finished and config.yaml asks for \(steps) steps, but the latest checkpoint is of step "
                    + "\(step); remove the run and make it again")
        }
    }

    /// The record files are at least as long as they were at the checkpoint, and the event file can be read: on an
    /// unfinished run as far as the checkpoint counts it, because a resumed run cuts off the rest unread.
    private mutating func checkAgainst(_ folder: String) {
        guard let data = try? WholeFile.read(folder + "/state.json"),
            let state = try? JSONDecoder().decode(JSONValue.self, from: data),
            case .object(let files) = state["files"]
        else { return }
        for (name, bytes) in files.sorted(by: { $0.key < $1.key }) {
            let path = "\(run.directory.path)/\(name)"
            let count = bytes.integerValue ?? 0
            let readable = isFinished ? .max : count
            attempt(path) {
                try CountedRecords.check(path, against: count)
                if EventFile.isName(name) {
                    _ = try EventReader.read(path, first: readable)
                }
            }
        }
    }

    private mutating func checkCurves() {
        let curves = run.directory.curvesPath
        for name in (try? Folder.contents(of: curves)) ?? [] {
            for path in (try? EventFile.paths(in: "\(curves)/\(name)")) ?? [] {
                attempt(path) { _ = try EventReader.read(path) }
            }
        }
    }

    private mutating func checkEvaluations(_ recorded: RecordedRun) {
        let root = run.directory.path + "/evaluations"
        var measured: [String] = []
        let folders = (try? Folder.contents(of: root)) ?? []
        for step in folders where step.hasPrefix("step_") {
            let folder = "\(root)/\(step)"
            for path in (try? RecordedEvaluation.paths(in: folder)) ?? [] {
                attempt(path) {
                    let evaluation = try RecordedEvaluation(
                        path: path, step: Int(step.dropFirst("step_".count)) ?? 0)
                    if evaluation.errors.allSatisfy({ $0.isFinite && $0 >= 0 }) {
                        measured.append("\(evaluation.step) \(evaluation.hash ?? "")")
                        return
                    }
                    throw ModelFolderError(
                        description:
                            "\(path) holds squared errors that are negative or not finite; remove the file, and the "
                            + "same sweep measures again")
                }
            }
        }
        if isFinished { checkNoted(measured) }
        guard isFinished, case .run(let configuration) = recorded.kind
        else { return }
        for setting in configuration.evaluationSettings {
            let path =
                "\(run.directory.evaluationFolder(step: configuration.training.steps))/"
                + "\(setting.name).safetensors"
            if FileManager.default.fileExists(atPath: path) { continue }
            note(path, "is missing; the same sweep measures again")
        }
    }

    /// evaluations.jsonl lists what was measured, each as its step and hash.
    private mutating func checkNoted(_ measured: [String]) {
        let path = run.directory.evaluationsPath
        // A line that cannot be read is a problem by itself.
        guard
            let records = FileManager.default.fileExists(atPath: path)
                ? try? RecordReader.read(path, as: EvaluationRecord.self) : []
        else { return }
        let noted = Set(records.map { "\($0.step) \($0.hash)" })
        let lost = measured.count { !noted.contains($0) }
        if lost == 0 { return }
        note(
            path,
            "lacks \(lost) of the \(measured.count) measurements in evaluations/; the same sweep notes them again"
        )
    }

    // MARK: Problems

    private mutating func note(_ file: String, _ what: String) {
        let message = what.contains(file) ? what : "\(file): \(what)"
        problems.append(StoredProblem(file: file, message: message, isDamage: true))
    }

    private mutating func attempt(_ file: String, _ check: () throws -> Void) {
        do {
            try check()
        } catch {
            problems.append(StoredProblem(error, about: file, isDamage: true))
        }
    }
}
