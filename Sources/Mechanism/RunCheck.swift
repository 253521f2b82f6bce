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
    private(set) var problems: [Validation.Problem] = []
    private let run: CatalogedRun

    init(_ run: CatalogedRun) {
        self.run = run
        guard let metadata = run.metadata else {
            note(run.directory.metadataPath, run.problem ?? "cannot be read")
            return
        }
        var recorded: RecordedRun?
        attempt(run.directory.configurationPath) { recorded = try RecordedRun(run) }
        if let recorded { checkIdentity(recorded) }
        checkRecords()
        var step: Int?
        attempt(run.directory.checkpointsPath) { step = try run.directory.latestCheckpointStep() }
        checkLink()
        if let step {
            if let recorded { checkCheckpoint(recorded, step: step) }
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

    private mutating func checkRecords() {
        let mayBeUnfinished = run.status != .finished
        for (path, isEvaluations) in [
            (run.directory.metricsPath, false), (run.directory.evaluationsPath, true),
        ] where FileManager.default.fileExists(atPath: path) {
            problems +=
                RecordCheck(
                    path: path, isEvaluations: isEvaluations, mayBeUnfinished: mayBeUnfinished
                ).problems
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
        checkLengths(folder)
        let status = run.metadata?.status
        if status == .finished, let steps = recorded.steps, steps != step {
            note(
                folder,
                "the run is finished and config.yaml asks for \(steps) steps, but the latest checkpoint is of step "
                    + "\(step); remove the run and make it again")
        }
    }

    /// The record files are at least as long as they were at the checkpoint.
    private mutating func checkLengths(_ folder: String) {
        guard let data = try? WholeFile.read(folder + "/state.json"),
            let state = try? JSONDecoder().decode(JSONValue.self, from: data)
        else { return }
        var lengths: [String: Int] = [:]
        if case .object(let files) = state["files"] {
            for (name, bytes) in files { lengths[name] = bytes.integerValue }
        }
        for (name, bytes) in lengths.sorted(by: { $0.key < $1.key }) {
            let path = "\(run.directory.path)/\(name)"
            let attributes = try? FileManager.default.attributesOfItem(atPath: path)
            let present = attributes?[.size] as? Int ?? 0
            if present >= bytes { continue }
            note(
                path,
                "has \(present) bytes, but its checkpoint was written at \(bytes); the file was cut or replaced: "
                    + "restore it, or remove the run and make it again")
        }
    }

    private mutating func checkEvaluations(_ recorded: RecordedRun) {
        let root = run.directory.path + "/evaluations"
        let folders = (try? Folder.contents(of: root)) ?? []
        for step in folders where step.hasPrefix("step_") {
            let folder = "\(root)/\(step)"
            let files = [folder, folder + "/other"].flatMap { folder in
                ((try? Folder.contents(of: folder)) ?? []).map { "\(folder)/\($0)" }
            }
            for path in files where path.hasSuffix(".safetensors") {
                attempt(path) {
                    let evaluation = try RecordedEvaluation(
                        path: path, step: Int(step.dropFirst("step_".count)) ?? 0)
                    if evaluation.errors.allSatisfy({ $0.isFinite && $0 >= 0 }) { return }
                    throw ModelFolderError(
                        description:
                            "\(path) holds squared errors that are negative or not finite; remove the file, and the "
                            + "same sweep measures again")
                }
            }
        }
        guard run.metadata?.status == .finished, case .run(let configuration) = recorded.kind
        else { return }
        for layout in configuration.evaluationLayouts {
            let path =
                "\(run.directory.evaluationFolder(step: configuration.training.steps))/"
                + "\(layout.name).standard.safetensors"
            if FileManager.default.fileExists(atPath: path) { continue }
            note(path, "is missing; the same sweep measures again")
        }
    }

    // MARK: Problems

    private mutating func note(_ file: String, _ what: String) {
        let message = what.contains(file) ? what : "\(file): \(what)"
        problems.append(Validation.Problem(file: file, message: message, isDamage: true))
    }

    private mutating func attempt(_ file: String, _ check: () throws -> Void) {
        do {
            try check()
        } catch {
            problems.append(Validation.Problem(error, about: file, isDamage: true))
        }
    }
}
