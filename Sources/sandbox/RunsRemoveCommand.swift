import ArgumentParser
import Experiments
import Foundation
import Platform

/// `sandbox runs rm`: delete runs.
struct RunsRemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm", abstract: "Delete runs, bases or whole sweeps.",
        discussion: """
            Asks first on a terminal, and needs --yes elsewhere. A run that a process works on stays, and so does a \
            base from which other runs were trained, unless they go too. A sweep that stays counts a removed run as \
            queued: the same 'sandbox sweep' makes it again; its summary.csv and pictures are as they were until then.

            Exit status: 0 removed, or declined when asked; 1 a run that must stay; 64 a usage error or an unknown run.

            Example:
              sandbox runs rm polynomial/cft-s0-b582770a --dry-run
              sandbox runs rm polynomial bases/linear-s0-c7744882 --yes
            """)

    @Argument(help: "Runs as for 'sandbox runs show', or sweeps by name or folder.")
    var runs: [String]

    @OptionGroup var folder: RunsFolder

    @Flag(name: .shortAndLong, help: "Do not ask.")
    var yes = false

    @Flag(help: "Show what would be removed; remove nothing.")
    var dryRun = false

    @Flag(help: "Print what was removed as JSON.")
    var json = false

    func run() throws {
        try reportingErrors {
            let removal = try RunRemoval(runs, in: folder.catalog)
            let paths = removal.runs.map(\.directory.path) + removal.sweeps.map(\.directory.path)
            if dryRun {
                try report(paths, removal, verb: "would remove")
                return
            }
            let what = "\(describe(removal)), \(TextTable.bytes(removal.bytes))"
            if !yes {
                guard Terminal.canAsk else {
                    throw ConfigurationError(
                        SourceMark(source: "command line: runs rm"),
                        "nobody can be asked here: give --yes to remove \(what), or --dry-run to see what would go"
                    )
                }
                Terminal.write(paths.map { "  \($0)\n" }.joined(), to: .error)
                guard Terminal.confirm("Remove \(what)?") else {
                    Terminal.write("nothing was removed\n", to: .error)
                    return
                }
            }
            var removed: [String] = []
            do {
                try removal.perform { removed.append($0) }
            } catch {
                // What went before the failure is gone, and the user learns of it.
                try report(removed, removal, verb: "removed")
                throw error
            }
            try report(removed, removal, verb: "removed")
        }
    }

    private func describe(_ removal: RunRemoval) -> String {
        var parts: [String] = []
        if !removal.runs.isEmpty {
            parts.append("\(removal.runs.count) run\(removal.runs.count == 1 ? "" : "s")")
        }
        if !removal.sweeps.isEmpty {
            parts.append(
                "the folder\(removal.sweeps.count == 1 ? "" : "s") of "
                    + removal.sweeps.map(\.name).joined(separator: ", "))
        }
        return parts.joined(separator: " and ")
    }

    private func report(_ paths: [String], _ removal: RunRemoval, verb: String) throws {
        if json {
            let report: JSONValue = [
                "removed": .array(paths.map(JSONValue.string)), "bytes": .integer(removal.bytes),
                "dry_run": .boolean(dryRun),
            ]
            try Terminal.print(CanonicalJSON.text(of: report) + "\n")
        } else {
            try Terminal.print(paths.map { "\(verb) \($0)\n" }.joined())
        }
    }
}
