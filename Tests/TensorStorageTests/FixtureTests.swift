import Foundation
import TensorStorage
import TestSupport
import Testing

/// The committed fixtures are the ones their generator wrote.
@Suite struct FixtureTests {
    struct Manifest: Decodable {
        let sha256: [String: String]
    }

    @Test func hashesAreThoseOfTheManifest() throws {
        let manifest = try Fixture.json("manifest.json", as: Manifest.self)
        #expect(manifest.sha256.count == ParityFixture.names.count + 3)
        let lines = manifest.sha256.sorted { $0.key < $1.key }.map { "\($0.value)  \($0.key)\n" }
        let outcome = try run(
            "sha256sum", ["--check", "--strict"], workingDirectory: Fixture.directory,
            input: lines.joined())
        #expect(outcome.exitCode == 0, "\(outcome)")
    }

    @Test(arguments: ParityFixture.names)
    func parityFixtureIsComplete(_ name: String) throws {
        let fixture = try ParityFixture(name)
        let shape = fixture.shape
        let file = fixture.file
        #expect(
            file["inputs"]?.shape == [shape.batch, shape.positions, shape.n_dims]
                && file["targets"]?.shape == [shape.batch, shape.targets]
                && file["predictions"]?.shape == [shape.batch, (shape.positions + 1) / 2])
        #expect(shape.position_offset + shape.positions <= 2 * shape.n_positions)
        #expect(fixture.parameters.count == 7 + 12 * shape.n_layer)
        for parameter in fixture.parameters {
            let gradient = try file.tensor(
                named: "grad." + parameter.name.dropFirst("param.".count))
            #expect(gradient.shape == parameter.shape)
        }
        for steps in ["adam_losses", "adamw_losses", "adamw_norms"] {
            #expect(try file.floats(steps, shape: [10]).allSatisfy { $0.isFinite && $0 > 0 })
        }
        #expect(try file.floats("adam_losses")[0] == file.floats("loss", shape: [1])[0])
        let predictions = try file.floats("float32.predictions")
        let comparison = try fixture.closeness(of: predictions, to: "predictions", .predictions)
        #expect(comparison.isWithin, "\(comparison)")
    }
}
