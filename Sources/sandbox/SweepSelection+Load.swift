import ArgumentParser
import Experiments
import Foundation
import InContextRegression
import Mechanism
import Platform

extension SweepSelection {
    /// The sweep file with everything the command line says.
    func load() throws -> SweepFile {
        let folders = SweepFile.defaultSearchFolders()
        let (yaml, path) = try source(folders)
        return try SweepFile.load(
            yaml: yaml, path: path, sections: SweepPlan.sections, preset: preset,
            overrides: allOverrides(), searchFolders: folders)
    }

    /// The text of the sweep file, or of one made up for a class without a file.
    private func source(_ folders: [String]) throws -> (yaml: String, path: String) {
        if let file {
            return (try text(file), file)
        }
        guard let name = functionClass else { throw ValidationError("give --class or --file") }
        let functionClass: any FunctionClass
        do {
            functionClass = try FunctionClasses.named(name)
        } catch {
            throw ConfigurationError(
                SourceMark(source: "command line: --class \(name)"), "\(error)")
        }
        if let path = SweepFile.find(functionClass.name, in: folders) {
            return (try text(path), path)
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
        return (yaml, "\(folders[0])/\(functionClass.name).yaml")
    }

    private func text(_ path: String) throws -> String {
        String(decoding: try WholeFile.read(path, maximumBytes: 1 << 20), as: UTF8.self)
    }

    private func allOverrides() -> [String] {
        var all: [String] = []
        if let seeds { all.append("seeds=\(seeds)") }
        if let layouts { all.append("layout=[\(layouts)]") }
        return all + overrides
    }
}
