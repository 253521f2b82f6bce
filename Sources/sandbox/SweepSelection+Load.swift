import ArgumentParser
import Experiments
import Foundation
import InContextRegression
import Mechanism

extension SweepSelection {
    /// The sweep file with everything the command line says.
    func load() throws -> SweepFile {
        let folders = SweepFile.defaultSearchFolders()
        switch (file, functionClass) {
        case (let path?, nil): return try load(path, folders)
        case (nil, let name?): return try load(class: name, folders)
        default: throw ValidationError("give either --class NAME or --file PATH")
        }
    }

    private func load(_ path: String, _ folders: [String]) throws -> SweepFile {
        try SweepFile.load(
            path: path, sections: SweepPlan.sections, preset: preset, overrides: allOverrides(),
            searchFolders: folders)
    }

    /// The sweep file of a class, or one made up for a class without a file.
    private func load(class name: String, _ folders: [String]) throws -> SweepFile {
        let functionClass: any FunctionClass
        do {
            functionClass = try FunctionClasses.named(name)
        } catch {
            throw ConfigurationError(
                SourceMark(source: "command line: --class \(name)"), "\(error)")
        }
        if let path = SweepFile.find(functionClass.name, in: folders) {
            return try load(path, folders)
        }
        let yaml = """
            version: 1
            name: \(functionClass.name)
            inherit: [base/quick.yaml]
            seeds: [0, 1, 2]
            parameters:
              task: {parameters: {function_class: {value: \(functionClass.name)}}}
              layout: {values: [cpt, cft, neg-cft]}

            """
        return try SweepFile.load(
            yaml: yaml, path: "\(folders[0])/\(functionClass.name).yaml",
            sections: SweepPlan.sections, preset: preset, overrides: allOverrides(),
            searchFolders: folders)
    }

    private func allOverrides() -> [String] {
        var all: [String] = []
        if let seeds { all.append("seeds=\(seeds)") }
        if let layouts { all.append("layout=[\(layouts)]") }
        return all + overrides
    }
}
