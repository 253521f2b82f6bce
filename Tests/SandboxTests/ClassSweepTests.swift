import Foundation
import InContextRegression
import TestSupport
import Testing

/// `--class` where sweeps/ has no file of the class.
@Suite struct ClassSweepTests {
    private func onlyPresets() throws -> TemporaryDirectory {
        let folder = try TemporaryDirectory()
        try FileManager.default.createDirectory(
            atPath: folder.file("sweeps"), withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            atPath: Program.package + "/sweeps/base", toPath: folder.file("sweeps/base"))
        return folder
    }

    @Test(arguments: FunctionClasses.all.map(\.name))
    func aClassWithoutAFileIsSweptAsItsFileWould(_ name: String) throws {
        let arguments = ["sweep", "--class", name, "--print-config"]
        let asFile = try Program.run(arguments, in: Program.package)
        #expect(asFile.exitCode == 0, "\(asFile)")
        let folder = try onlyPresets()
        let without = try Program.run(arguments, in: folder.path)
        #expect(without.exitCode == 0, "\(without)")
        #expect(without.output == asFile.output)
    }

    /// The command that makes missing runs cannot name a file that there is not.
    @Test func itsCommandsNameTheClass() throws {
        let folder = try onlyPresets()
        let small = [
            "model={n_dims: 2, n_positions: 10, n_embd: 16, n_layer: 1, n_head: 2}",
            "pretraining={n_points: 5, steps: 4, batch_size: 16, optimizer: {learning_rate: 1.0e-3}}",
            "training={n_points: 5, steps: 4, batch_size: 16, optimizer: {learning_rate: 1.0e-3}}",
            "evaluate={examples: 32, prompts: [standard]}",
        ]
        let outcome = try Program.run(
            ["sweep", "--class", "relu", "--layouts", "cpt,cft", "--seeds", "1", "--quiet"] + small,
            in: folder.path)
        #expect(outcome.exitCode == 0, "\(outcome)")
        let claims = try Program.run(["claims", "relu"], in: folder.path)
        #expect(claims.exitCode == 1)
        #expect(
            claims.output.contains("make it with: sandbox sweep --class relu seeds=1"),
            "\(claims.output)")
    }
}
