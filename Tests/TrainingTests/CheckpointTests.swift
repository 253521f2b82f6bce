import Experiments
import Foundation
import Kernels
import TensorStorage
import TestSupport
import Testing
import Transformer

@testable import Training

@Suite struct CheckpointTests {
    @Test func onlyTheLastCheckpointStays() throws {
        let folder = try TemporaryDirectory()
        let directory = try runDirectory(folder)
        let problem = Quadratic()
        var state = problem.freshState()
        var seen: [[Int]] = []
        let loop = try problem.loop(
            options(steps: 4, checkpointSeconds: 0), in: directory, state: state
        ) { _, _ in seen.append((try? directory.checkpointSteps()) ?? []) }
        _ = try loop.run(&state)
        // A step is reported before its checkpoint is written; the one before goes when the next loss is a number.
        #expect(seen == [[0], [1], [2], [3]])
        // Whether the last one gives numbers, only its measurement can tell.
        #expect(try directory.checkpointSteps() == [3, 4])
        let manager = FileManager.default
        #expect(
            try manager.destinationOfSymbolicLink(atPath: directory.latestCheckpointLink)
                == "step_0000000004")
        #expect(
            try manager.contentsOfDirectory(atPath: directory.checkpointsPath).sorted()
                == ["latest", "step_0000000003", "step_0000000004"])
        #expect(
            try manager.contentsOfDirectory(atPath: directory.checkpointPath(step: 4)).sorted()
                == ["model.safetensors", "optimizer.safetensors", "state.json"])
    }

    @Test func tensorsHaveThePublicNames() throws {
        let folder = try TemporaryDirectory()
        let decoder = Decoder(
            DecoderConfiguration(
                inputDimension: 2, positionCount: 6, embeddingDimension: 8, layerCount: 2,
                headCount: 2))
        var state = TrainingState(
            layout: decoder.layout, parameters: decoder.initialParameters(seed: 1))
        state.moments.first.fill(0.25)
        state.moments.second.fill(0.5)
        state.step = 3
        var record = CheckpointState(
            step: 3, lossSum: 0.1, lossCount: 2, files: ["metrics.jsonl": 17],
            blasKernel: "Haswell", workers: 2)
        try Checkpoint.write(state, record: record, into: folder.path)

        let block = [
            "ln_1.weight", "ln_1.bias", "attn.c_attn.weight", "attn.c_attn.bias",
            "attn.c_proj.weight", "attn.c_proj.bias", "ln_2.weight", "ln_2.bias",
            "mlp.c_fc.weight", "mlp.c_fc.bias", "mlp.c_proj.weight", "mlp.c_proj.bias",
        ]
        let names =
            ["_read_in.weight", "_read_in.bias", "_backbone.wpe.weight"]
            + (0..<2).flatMap { layer in block.map { "_backbone.h.\(layer).\($0)" } }
            + [
                "_backbone.ln_f.weight", "_backbone.ln_f.bias", "_read_out.weight",
                "_read_out.bias",
            ]
        let model = try SafetensorsFile(path: folder.file("model.safetensors"))
        #expect(Set(model.tensors.map(\.name)) == Set(names))
        #expect(model["_backbone.h.1.attn.c_attn.weight"]?.shape == [8, 24])
        #expect(model["_backbone.wpe.weight"]?.shape == [6, 8])
        #expect(model["_read_out.weight"]?.shape == [1, 8])
        #expect(model.metadata["format"] == "pt")
        let optimizer = try SafetensorsFile(path: folder.file("optimizer.safetensors"))
        let moments = names.map { "exp_avg.\($0)" } + names.map { "exp_avg_sq.\($0)" }
        #expect(Set(optimizer.tensors.map(\.name)) == Set(moments))
        #expect(
            try optimizer.floats("exp_avg._read_out.weight") == Array(repeating: 0.25, count: 8))
        #expect(try optimizer.floats("exp_avg_sq._read_in.bias") == Array(repeating: 0.5, count: 8))

        var read = TrainingState(
            layout: decoder.layout, parameters: FloatView(zeros: decoder.layout.count))
        for name in ["model.safetensors", "optimizer.safetensors"] {
            record.sha256[name] = try sha256Hex(ofFile: folder.file(name))
        }
        let found = try Checkpoint.read(into: &read, from: folder.path)
        record.sha256["state.json"] = found.sha256["state.json"]
        #expect(found == record)
        #expect(read.step == 3 && read.lossSum == 0.1 && read.lossCount == 2)
        #expect(firstDifference(read.parameters.array, state.parameters.array) == nil)
    }

    /// Three attempts with a crash each (the second without a checkpoint of its own, so that records have to be cut
    /// back) against one undisturbed run.
    @Test func resumedRunEqualsAnUndisturbedOne() throws {
        let folder = try TemporaryDirectory()
        let steady = try runDirectory(folder, "steady")
        var undisturbed = Quadratic(sway: 0.5).freshState()
        _ = try Quadratic(sway: 0.5).loop(options(steps: 100), in: steady, state: undisturbed)
            .run(&undisturbed)

        let broken = try runDirectory(folder, "broken")
        try attempt(broken, crashStep: 37, checkpointSeconds: 0)
        #expect(try broken.latestCheckpointStep() == 37)
        try attempt(broken, crashStep: 62, checkpointSeconds: .infinity)
        #expect(try broken.latestCheckpointStep() == 37)
        #expect(try recordsWithoutTimes(broken.metricsPath).count == 6)
        let state = try attempt(broken, crashStep: nil, checkpointSeconds: .infinity)

        #expect(firstDifference(state.parameters.array, undisturbed.parameters.array) == nil)
        #expect(firstDifference(state.moments.first.array, undisturbed.moments.first.array) == nil)
        #expect(
            firstDifference(state.moments.second.array, undisturbed.moments.second.array) == nil)
        #expect(
            try recordsWithoutTimes(broken.metricsPath) == recordsWithoutTimes(steady.metricsPath))
        let events = try [broken, steady].map { directory in
            let paths = try EventFile.paths(in: directory.path)
            #expect(paths.count == 1)
            return try paths.flatMap { try EventReader.read($0) }.map { event in
                Event(
                    wallTime: 0, step: event.step,
                    values: event.values.filter { !$0.tag.hasPrefix("perf/") })
            }
        }
        #expect(
            events[0] == events[1]
                && events[0].map(\.step) == Array(stride(from: 10, through: 100, by: 10)))
        for name in ["model.safetensors", "optimizer.safetensors"] {
            let files = try [broken, steady].map {
                try Data(contentsOf: URL(fileURLWithPath: "\($0.latestCheckpointLink)/\(name)"))
            }
            #expect(files[0] == files[1])
        }
    }

    /// One process's share of a run: reads the last checkpoint, cuts the records back and goes on.
    @discardableResult
    private func attempt(
        _ directory: RunDirectory, crashStep: Int?, checkpointSeconds: Double
    ) throws -> TrainingState {
        let problem = Quadratic(sway: 0.5, crashStep: crashStep)
        var state = problem.freshState()
        var lengths: [String: Int] = [:]
        if try directory.latestCheckpointStep() != nil {
            let record = try Checkpoint.read(into: &state, from: directory.latestCheckpointLink)
            lengths = record.files
        }
        let plan = options(steps: 100, checkpointSeconds: checkpointSeconds)
        let loop = try problem.loop(plan, in: directory, state: state, lengths: lengths)
        if crashStep == nil {
            #expect(try loop.run(&state) == .finished)
        } else {
            #expect(throws: Quadratic.Crash.self) { try loop.run(&state) }
        }
        return state
    }

    // MARK: state.json

    /// The text as a program writes it: with its own hash.
    private static func signed(_ text: String) throws -> String {
        var state = try JSONDecoder().decode(CheckpointState.self, from: Data(text.utf8))
        state.sha256["state.json"] = sha256Hex(Data(try CanonicalJSON.text(state).utf8))
        return try CanonicalJSON.text(state)
    }

    private static let whole =
        #"{"format_version":2,"step":3,"loss_sum":0.5,"loss_count":1,"files":{"metrics.jsonl":9},"blas_kernel":"Zen","workers":1,"sha256":{}}"#

    @Test func readsStateOfTheNewestVersion() throws {
        let folder = try TemporaryDirectory()
        try folder.write(Self.signed(Self.whole), to: "state.json")
        var state = try Checkpoint.readState(folder.path)
        #expect(state.sha256.removeValue(forKey: "state.json")?.count == 64)
        #expect(
            state
                == CheckpointState(
                    step: 3, lossSum: 0.5, lossCount: 1, files: ["metrics.jsonl": 9],
                    blasKernel: "Zen", workers: 1))
    }

    @Test(arguments: [
        (
            whole.replacingOccurrences(of: "\"format_version\":2", with: "\"format_version\":7"),
            "has format version 7 and this program reads 2; use a newer sandbox"
        ),
        (
            whole.replacingOccurrences(of: "\"format_version\":2", with: "\"format_version\":1"),
            "has format version 1 and this program reads 2; CURE"
        ),
        (
            whole, "is not what was written there (its SHA-256 differs from its own note); CURE"
        ),
        ("}{ nonsense", "is not JSON; CURE"),
        ("", "is not JSON; CURE"),
        (
            whole.replacingOccurrences(of: "\"step\":3,", with: ""),
            "lacks a value a checkpoint needs; CURE"
        ),
        (
            whole.replacingOccurrences(of: "\"step\":3,", with: "\"step\":\"3\","),
            "lacks a value a checkpoint needs; CURE"
        ),
    ])
    func refusesAStateItCannotUse(text: String, message: String) throws {
        let folder = try TemporaryDirectory()
        let place = "run/checkpoints/step_0000000003"
        let path = try folder.write(text, to: place + "/state.json")
        let error = #expect(throws: CheckpointError.self) {
            try Checkpoint.readState(folder.file(place))
        }
        let cure = "restore it, or delete the folder '\(folder.file("run"))' to train the run anew"
        #expect(error?.description == "\(path) \(message.replacing("CURE", with: cure))")
    }

    @Test func namesAMissingStateAndAMissingTensor() throws {
        let folder = try TemporaryDirectory()
        var state = Quadratic().freshState()
        let missing = #expect(throws: (any Error).self) {
            try Checkpoint.read(into: &state, from: folder.path)
        }
        #expect(
            missing.map { "\($0)" }
                == "cannot read '\(folder.file("state.json"))': No such file or directory")
    }

    /// The header and the sizes are right: only the hash in state.json tells.
    @Test(arguments: ["model.safetensors", "optimizer.safetensors"])
    func noticesASingleChangedByte(name: String) throws {
        let folder = try TemporaryDirectory()
        let directory = try runDirectory(folder)
        let problem = Quadratic()
        var state = problem.freshState()
        _ = try problem.loop(options(steps: 2), in: directory, state: state).run(&state)
        let path = "\(directory.checkpointPath(step: 2))/\(name)"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        bytes[bytes.count - 1] ^= 1
        try bytes.write(to: URL(fileURLWithPath: path))
        let error = #expect(throws: CheckpointError.self) {
            try Checkpoint.read(into: &state, from: directory.checkpointPath(step: 2))
        }
        #expect(
            error?.description
                == "\(path) is not what was written there (its SHA-256 differs from state.json's); restore it, or "
                + "delete the folder '\(directory.path)' to train the run anew")
    }
}
