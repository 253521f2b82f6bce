import Experiments
import Foundation
import Kernels
import TensorStorage
import TestSupport
import Testing

/// A disk that is full, limited or of another kind: one sentence with the path and the cure, status 1, and what was
/// written before is whole.
@Suite struct LimitedDiskTests {
    /// Sweeps under a limit on the size of files, in KiB.
    private func sweep(limit: Int, in folder: TemporaryDirectory) throws -> ChildProcess.Outcome {
        let line = "ulimit -f \(limit); exec '\(try builtProgram())' sweep -f tiny.yaml --quiet"
        return try TestSupport.run("bash", ["-c", line], workingDirectory: folder.path)
    }

    /// The limit meets the weights, the optimizer's state, a picture.
    @Test(arguments: [
        (4, "/model.safetensors"), (20, "/optimizer.safetensors"),
        (40, "runs/tiny/plots/polynomial-error-vs-context.png"),
    ]) func afterALimitTheSameCommandGoesOn(_ limit: Int, _ file: String) throws {
        let folder = try tinyFolder()
        let outcome = try sweep(limit: limit, in: folder)
        #expect(outcome.exitCode == 1, "\(outcome)")
        #expect(outcome.errors.hasPrefix("error: ") && outcome.errors.contains(file))
        #expect(
            outcome.errors.contains(
                "File too large; raise the file-size limit (ulimit -f) and run the same command again"
            ))
        #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome)")

        let undisturbed = try tinyFolder()
        for folder in [folder, undisturbed] {
            let again = try Program.run(["sweep", "-f", "tiny.yaml", "--quiet"], in: folder.path)
            #expect(again.exitCode == 0 && again.errors == "", "\(again)")
        }
        let table = "runs/tiny/summary.csv"
        #expect(try bytes(folder.file(table)) == bytes(undisturbed.file(table)))
        let left = try FileManager.default.subpathsOfDirectory(atPath: folder.file("runs"))
        #expect(left.filter { $0.contains(".partial") || $0.contains(".writing-") } == [])
    }

    @Test func aFullDeviceIsWrittenThroughAndStaysADevice() throws {
        let folder = try tinyFolder()
        let sweep = try Program.run(["sweep", "-f", "tiny.yaml", "--quiet"], in: folder.path)
        #expect(sweep.exitCode == 0, "\(sweep)")
        let manifest = try #require(
            try SweepDirectory(path: folder.file("runs/tiny")).manifest())
        try writeSafetensors(
            [.floats("inputs", shape: [1, 5, 2], FloatView(zeros: 10))],
            to: folder.file("in.safetensors"))
        func forward(_ output: String) throws -> ChildProcess.Outcome {
            try Program.run(
                [
                    "forward", "--checkpoint", "runs/tiny/\(manifest.trials[0].run)", "--input",
                    "in.safetensors", "--output", output,
                ], in: folder.path)
        }
        let full = try forward("/dev/full")
        #expect(full.exitCode == 1 && full.output == "", "\(full)")
        #expect(
            full.errors
                == "error: /dev/full: cannot be written: No space left on device; free some space and run the same "
                + "command again.\n")
        #expect(
            try FileManager.default.attributesOfItem(atPath: "/dev/full")[.type]
                as? FileAttributeType
                == .typeCharacterSpecial)
        #expect(try forward("/dev/null").exitCode == 0)
        #expect(try forward("out.safetensors").exitCode == 0)
        #expect(try SafetensorsFile(path: folder.file("out.safetensors"))["predictions"] != nil)
    }

    @Test func aPathBelowAFileIsRefused() throws {
        let folder = try tinyFolder()
        try folder.write("kept", to: "file")
        for runs in ["file", "file/below"] {
            let outcome = try Program.run(
                ["sweep", "-f", "tiny.yaml", "--runs", runs], in: folder.path)
            #expect(outcome.exitCode == 1 && outcome.output == "", "\(outcome)")
            #expect(
                outcome.errors.hasSuffix(
                    "Not a directory; 'file' is a file: name another folder or remove it\n"))
            #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome)")
        }
        #expect(try folder.names() == ["file", "tiny.yaml"])
        #expect(try bytes(folder.file("file")) == Data("kept".utf8))
    }
}
