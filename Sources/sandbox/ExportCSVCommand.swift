import ArgumentParser
import Experiments
import Foundation
import Mechanism
import Platform

/// `sandbox export csv`: the tidy table.
struct ExportCSVCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "csv", abstract: "Write the tidy table of a sweep or of one run.",
        discussion: """
            Of a sweep it is summary.csv. Of a run the same columns are computed from its per-prompt errors: one row \
            per evaluation and k (mean, standard error and the 95 % bootstrap over prompts), then one per recorded \
            training loss, with k empty. What 'sandbox eval' measured on other prompts is among them; the last column, \
            evaluation, tells them apart by the hash that evaluations.jsonl has too.

            Exit status: 0 written, 1 a missing table or a damaged run, 64 a usage error or an unknown run or sweep.

            Example:
              sandbox export csv polynomial --output polynomial.csv
              sandbox export csv polynomial/cft-s0-b582770a
            """)

    @Argument(
        help: ArgumentHelp("A sweep, or a run as for 'sandbox runs show'.", valueName: "run"))
    var name: String

    @Option(help: "The file to write; standard output without it.")
    var output: String?

    @OptionGroup var folder: RunsFolder

    func run() throws {
        try reportingErrors {
            let table: CSVTable
            switch try folder.catalog.target(name) {
            case .run(let run): table = try RunTable.table(of: RecordedRun(run))
            case .sweep(let sweep): table = try summary(of: sweep)
            }
            try write(table.text, to: output)
        }
    }

    private func summary(of sweep: CatalogedSweep) throws -> CSVTable {
        let path = sweep.directory.summaryPath
        guard FileManager.default.fileExists(atPath: path) else {
            let file = (try? sweep.directory.manifest())?.file
            let command = file.map { "'sandbox sweep -f \($0)'" } ?? "'sandbox sweep'"
            throw SystemError(
                sweep.name == "bases"
                    ? "the bases have no table in common; name one of them"
                    : "'\(path)' is missing; \(command) writes it when the sweep is finished")
        }
        let table = try CSVTable.read(path)
        if !sweep.isText, table.header != SweepDirectory.summaryColumns {
            throw SystemError(
                "'\(path)' has other columns than \(SweepDirectory.summaryColumns.joined(separator: ",")); run the "
                    + "sweep again to write it anew")
        }
        return table
    }
}

/// Writes `text` to the file `output`, whole or not at all, or to standard output.
func write(_ text: String, to output: String?) throws {
    guard let output else {
        try Terminal.print(text)
        return
    }
    try refuseFilesOfRuns(output)
    try AtomicFile.write(text, to: output)
    try Terminal.print("wrote \(output)\n")
}

/// Refuses an --output inside a run's folder, by whatever path: the files there are the run's record.
func refuseFilesOfRuns(_ output: String) throws {
    let parent = Path.parent(of: output)
    var folder = Path.parent(
        of: Folder.resolved(output)
            ?? "\(Folder.resolved(parent.isEmpty ? "." : parent) ?? "")/\(Path.name(of: output))")
    while folder != Path.parent(of: folder) {
        if let run = CatalogedRun(path: folder) {
            throw ConfigurationError(
                SourceMark(source: "command line: --output \(output)"),
                "the folder of the run \(run.qualifiedName) holds its record alone; name a file elsewhere"
            )
        }
        folder = Path.parent(of: folder)
    }
}
