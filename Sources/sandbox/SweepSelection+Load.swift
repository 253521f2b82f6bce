import ArgumentParser
import Experiments
import Foundation
import InContextRegression
import Mechanism
import Platform

extension SweepSelection {
    /// The preset of the sweep files as they are written.
    static let usualPreset = "quick"

    /// The sweep file with everything the command line says.
    ///
    /// Another preset than the usual one is part of the sweep's name: both keep their tables and pictures.
    func load() throws -> SweepFile {
        // Asked here and not while parsing, where it would come before "unknown option '--clas'".
        if (functionClass == nil) == (file == nil) {
            throw ValidationError("give either --class NAME or --file PATH")
        }
        let overrides = allOverrides()
        let sweep = try load(overrides)
        if let sentence = try sweep.drawNote() { note(sentence) }
        guard let preset, preset != Self.usualPreset,
            !overrides.contains(where: { $0.hasPrefix("name=") })
        else { return sweep }
        return try load(overrides + ["name=\(sweep.name)-\(preset)"])
    }

    private func load(_ overrides: [String]) throws -> SweepFile {
        let folders = SweepFile.defaultSearchFolders()
        if let file {
            return try SweepFile.load(
                path: file, sections: SweepPlan.sections, preset: preset, overrides: overrides,
                searchFolders: folders)
        }
        let functionClass = try chosenClass()
        if let path = SweepFile.find(functionClass.name, in: folders) {
            return try SweepFile.load(
                path: path, sections: SweepPlan.sections, preset: preset, overrides: overrides,
                searchFolders: folders)
        }
        return try SweepFile.load(
            yaml: Self.text(functionClass), path: "\(folders[0])/\(functionClass.name).yaml",
            sections: SweepPlan.sections, preset: preset, overrides: overrides,
            searchFolders: folders)
    }

    private func chosenClass() throws -> any FunctionClass {
        let name = functionClass ?? ""
        do {
            return try FunctionClasses.named(name)
        } catch {
            throw ConfigurationError(
                SourceMark(source: "command line: --class \(name)"), "\(error)")
        }
    }

    /// What the command line sets, by dotted name.
    func allOverrides() -> [String] {
        var all: [String] = []
        if let seeds {
            let isList = seeds.contains(",") && !seeds.hasPrefix("[")
            all.append(isList ? "seeds=[\(seeds)]" : "seeds=\(seeds)")
        }
        if let layouts { all.append("layout=[\(layouts)]") }
        return all + overrides
    }
}
