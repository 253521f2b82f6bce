import Foundation
import TestSupport
import Testing

/// A library that is missing or damaged at run time: one sentence with the cure, status 1, nothing half done.
@Suite struct MissingLibraryTests {
    // MARK: OpenBLAS

    /// A folder whose `libopenblas.so.0`, first on the loader's path, is no library.
    private func withoutOpenBLAS(_ folder: TemporaryDirectory) throws -> [String: String?] {
        try folder.write("", to: "libopenblas.so.0")
        return ["LD_LIBRARY_PATH": folder.path]
    }

    @Test(arguments: [
        ["sweep", "-f", "tiny.yaml"], ["bench", "machine"],
        ["forward", "--checkpoint", "c", "--input", "i", "--output", "o"],
    ]) func withoutOpenBLASNoVerbBegins(_ arguments: [String]) throws {
        let folder = try tinyFolder()
        let libraries = try TemporaryDirectory()
        let outcome = try Program.run(
            arguments, in: folder.path, environment: withoutOpenBLAS(libraries))
        #expect(outcome.exitCode == 1 && outcome.output == "", "\(outcome)")
        #expect(
            outcome.errors
                == "error: cannot load OpenBLAS (\(libraries.path)/libopenblas.so.0: file too short); "
                + "install it: apt-get install libopenblas0\n")
        #expect(try folder.names() == ["tiny.yaml"])
    }

    @Test(arguments: [["--help"], ["--version"], ["sweep", "--help"], ["help", "sweep"]])
    func helpNeedsNoOpenBLAS(_ arguments: [String]) throws {
        let libraries = try TemporaryDirectory()
        let outcome = try Program.run(
            arguments, in: libraries.path, environment: withoutOpenBLAS(libraries))
        #expect(outcome.exitCode == 0 && outcome.errors == "" && !outcome.output.isEmpty)
    }
}
