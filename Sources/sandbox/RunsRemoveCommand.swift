import ArgumentParser
import Experiments
import Foundation
import Platform

/// `sandbox runs rm`: delete runs.
struct RunsRemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm", abstract: "Delete runs, bases or whole sweeps.",
        discussion: """
            Only runs, bases and sweeps below the folder of --runs are removed. Asks first on a terminal, and needs \
            --yes elsewhere. A run or a sweep that a process works on stays, and so does a base from which other runs \
            were trained, unless they go too or --force is given. A sweep that stays counts a removed run as queued: the \
            same 'sandbox sweep' makes it again; its summary.csv and pictures are as they were until then. What sandbox \
            did not write into a sweep's folder stays, and the folder with it; in a run's folder it goes, and \
            --dry-run names it.

            Exit status: 0 removed, or declined when asked; 1 a run that must stay; 64 a usage error, or what is no run and no \
            sweep below --runs.

            Example:
              sandbox runs rm polynomial/cft-s0-b582770a --dry-run
              sandbox runs rm polynomial bases/linear-s0-c7744882 --yes
            """)

    @Argument(
        help:
            "Runs as for 'sandbox runs show' (of a hash four digits at least), or sweeps by name or folder, below --runs."
    )
    var runs: [String]

    @OptionGroup var folder: RunsFolder

    @Flag(name: .shortAndLong, help: "Do not ask.")
    var yes = false

    @Flag(help: "Remove bases although runs were trained from them; their results stay readable.")
    var force = false

    @Flag(help: "Show what would be removed; remove nothing.")
    var dryRun = false

    @Flag(help: "Print what was removed as JSON.")
    var json = false

    func run() throws {
        try reportingErrors {
            let removal = try RunRemoval(runs, in: folder.catalog, force: force)
            if dryRun {
                try report(removal.paths, removal, verb: "would remove")
                return
            }
            let what = "\(describe(removal)), \(TextTable.bytes(removal.bytes))"
            if !yes {
                guard Terminal.canAsk else {
                    let stay = removal.sweeps.compactMap(\.reasonToStay).map { " (\($0))" }.joined()
                    throw ConfigurationError(
                        SourceMark(source: "command line: runs rm"),
                        "nobody can be asked here: give --yes to remove \(what)\(stay), or --dry-run to see what would go"
                    )
                }
                let lines = removal.paths + (try foreign(removal)).map { "\($0) (not sandbox's)" }
                Terminal.write(
                    lines.map { "  \($0)\n" }.joined() + notes(removal), to: .error)
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

    /// The paths of what sandbox did not write into the folders of the runs that go.
    private func foreign(_ removal: RunRemoval) throws -> [String] {
        try removal.runs.flatMap { run in
            try run.foreignEntries().map { "\(run.directory.path)/\($0)" }
        }
    }

    /// A line for each sweep folder that stays.
    private func notes(_ removal: RunRemoval) -> String {
        removal.sweeps.compactMap(\.reasonToStay).map { "\($0)\n" }.joined()
    }

    private func describe(_ removal: RunRemoval) -> String {
        var parts: [String] = []
        if !removal.runs.isEmpty {
            parts.append("\(removal.runs.count) run\(removal.runs.count == 1 ? "" : "s")")
        }
        for (what, stays) in [("folder", false), ("files", true)] {
            let names = removal.sweeps.filter { $0.foreign.isEmpty != stays }.map(\.name)
            if names.isEmpty { continue }
            let plural = names.count > 1 && !stays ? "s" : ""
            parts.append("the \(what)\(plural) of \(names.joined(separator: ", "))")
        }
        return parts.joined(separator: " and ")
    }

    private func report(_ paths: [String], _ removal: RunRemoval, verb: String) throws {
        let foreign = dryRun ? try foreign(removal) : []
        if json {
            let kept = removal.sweeps.filter { !$0.foreign.isEmpty }
            let report: JSONValue = [
                "removed": .array(paths.map(JSONValue.string)), "bytes": .integer(removal.bytes),
                "dry_run": .boolean(dryRun), "foreign": .array(foreign.map(JSONValue.string)),
                "kept": .array(
                    kept.map {
                        [
                            "path": .string($0.path),
                            "holds": .array($0.foreign.map(JSONValue.string)),
                        ]
                    }),
            ]
            try Terminal.print(CanonicalJSON.text(of: report) + "\n")
        } else {
            try Terminal.print(
                paths.map { "\(verb) \($0)\n" }.joined()
                    + foreign.map { "\(verb) \($0), which sandbox did not write\n" }.joined()
                    + notes(removal))
        }
    }
}
