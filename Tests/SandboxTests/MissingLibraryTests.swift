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

    // MARK: PLplot

    /// Sweeps with `environment`: the runs and the table must be whole, the pictures absent, and the same command
    /// must draw them once the cause is gone.
    private func errorsOfASweep(_ environment: [String: String?]) throws -> String {
        let folder = try tinyFolder()
        let arguments = ["sweep", "-f", "tiny.yaml", "--quiet", "--format", "png,svg"]
        let outcome = try Program.run(arguments, in: folder.path, environment: environment)
        #expect(outcome.exitCode == 1, "\(outcome)")
        #expect(outcome.output.contains("Squared error averaged over k"), "\(outcome)")
        let table = try bytes(folder.file("runs/tiny/summary.csv"))
        let plots = folder.file("runs/tiny/plots")
        #expect(try FileManager.default.contentsOfDirectory(atPath: plots) == [])
        let again = try Program.run(arguments, in: folder.path)
        #expect(again.exitCode == 0 && again.errors == "", "\(again)")
        #expect(try bytes(folder.file("runs/tiny/summary.csv")) == table)
        #expect(try FileManager.default.contentsOfDirectory(atPath: plots).count == 22)
        return outcome.errors
    }

    @Test func withoutADriverPicturesAreRefused() throws {
        let empty = try TemporaryDirectory()
        #expect(
            try errorsOfASweep(["PLPLOT_DRV_DIR": empty.path])
                == "error: PLplot's cairo driver cannot be loaded (\(empty.path)/cairo.driver_info: No such file or "
                + "directory); unset PLPLOT_DRV_DIR, which names that folder.\n")
    }

    @Test func benchTellsOfAMissingDriver() throws {
        let empty = try TemporaryDirectory()
        let environment = ["PLPLOT_DRV_DIR": empty.path]
        let outcome = try Program.run(
            ["bench", "machine"], in: empty.path, environment: environment)
        #expect(outcome.exitCode == 0 && outcome.errors == "", "\(outcome)")
        #expect(outcome.output.contains("cairo driver cannot be loaded"), "\(outcome)")
        let report = try Program.run(
            ["bench", "machine", "--json"], in: empty.path, environment: environment)
        #expect(try json(report.output)["plplot_drivers"]?.arrayValue?.isEmpty == true)
    }

    /// The driver's description is there, the driver is damaged.
    @Test func aDamagedDriverIsNamed() throws {
        let folder = try TemporaryDirectory()
        try folder.write("pngcairo:PNG:0:cairo:59:pngcairo\n", to: "cairo.driver_info")
        try folder.write("", to: "cairo.so")
        #expect(
            try errorsOfASweep(["PLPLOT_DRV_DIR": folder.path])
                == "error: PLplot's cairo driver cannot be loaded (\(folder.path)/cairo.so: file too short); unset "
                + "PLPLOT_DRV_DIR, which names that folder.\n")
    }

    /// A copy of the library that looks for its folder of drivers, or of fonts, elsewhere: what an absent package
    /// looks like from inside.
    private func doctoredPLplot(_ old: String, _ new: String) throws -> TemporaryDirectory {
        #expect(old.utf8.count == new.utf8.count)
        let listing = try TestSupport.run("ldd", [try builtProgram()]).output
        let path = try #require(
            listing.split(separator: "\n").first { $0.contains("libplplot.so") }?
                .split(separator: " ").first { $0.hasPrefix("/") }.map(String.init))
        var library = try bytes(path)
        var isFound = false
        while let range = library.range(of: Data(old.utf8)) {
            library.replaceSubrange(range, with: Data(new.utf8))
            isFound = true
        }
        #expect(isFound, "\(path) does not hold \(old)")
        let folder = try TemporaryDirectory()
        try folder.write(library, to: URL(fileURLWithPath: path).lastPathComponent)
        return folder
    }

    @Test func withoutTheDriversPackageItIsNamed() throws {
        let libraries = try doctoredPLplot("/drivers\0", "/absent_\0")
        let errors = try errorsOfASweep(["LD_LIBRARY_PATH": libraries.path])
        #expect(errors.hasPrefix("error: PLplot's cairo driver cannot be loaded ("))
        #expect(
            errors.hasSuffix(
                "/absent_/cairo.driver_info: No such file or directory); install it: apt-get install "
                    + "plplot-driver-cairo.\n"), "\(errors)")
    }

    @Test func withoutPLplotsFontsPicturesAreRefused() throws {
        let libraries = try doctoredPLplot("plxtnd5.fnt", "absent5.fnt")
        #expect(
            try errorsOfASweep(["LD_LIBRARY_PATH": libraries.path])
                == "error: PLplot cannot start (Unable to either (1) open/find or (2) allocate memory for the font "
                + "file); if its fonts plstnd5.fnt and plxtnd5.fnt are missing, install them: apt-get install "
                + "--reinstall libplplot-data.\n")
    }

    /// Without a font pango draws a box for every letter and says nothing.
    @Test func withoutAnyFontPicturesAreRefused() throws {
        let folder = try TemporaryDirectory()
        try folder.write(
            "<fontconfig><dir>\(folder.path)</dir><cachedir>\(folder.path)</cachedir></fontconfig>\n",
            to: "fonts.conf")
        #expect(
            try errorsOfASweep(["FONTCONFIG_FILE": folder.file("fonts.conf")])
                == "error: fontconfig finds no font with letters and digits for the pictures; unset FONTCONFIG_FILE, "
                + "or install one: apt-get install fonts-dejavu-core.\n")
    }
}
