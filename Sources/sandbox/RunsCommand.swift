import ArgumentParser
import Experiments
import Foundation

/// `sandbox runs`: what is under the folder that holds the runs.
struct RunsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runs", abstract: "List, show, compare and remove runs.",
        discussion: """
            A RUN is a run's folder, SWEEP/RUN, bases/NAME, a run's name, or the beginning of the hash its name ends \
            with.

            Exit status: 0 done, 1 a run that cannot be read or removed, 64 a usage error or an unknown run.

            Example:
              sandbox runs ls polynomial
              sandbox runs diff b582770a eb9e42cd
            """,
        subcommands: [
            RunsListCommand.self, RunsShowCommand.self, RunsDiffCommand.self,
            RunsRemoveCommand.self,
        ])
}

/// The option that says where the runs are.
struct RunsFolder: ParsableArguments {
    @Option(help: "The folder that holds the runs.")
    var runs = "runs"

    func validate() throws {
        if runs.isEmpty { throw ValidationError("--runs is empty; name a folder, such as runs") }
    }

    var catalog: RunCatalog { RunCatalog(root: runs) }
}

/// Lines of cells in columns, for people.
enum TextTable {
    /// The lines with their cells padded to the widest of each column, two spaces between them.
    static func text(_ lines: [[String]]) -> String {
        let columns = lines.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            lines.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return lines.map { line in
            let padded = zip(line, widths).map { cell, width in
                cell + String(repeating: " ", count: width - cell.count)
            }.joined(separator: "  ")
            let end = padded.lastIndex { $0 != " " }.map { padded.index(after: $0) }
            return padded[..<(end ?? padded.startIndex)] + "\n"
        }.joined()
    }

    /// `91.21`: four significant digits; a dash for nothing.
    static func number(_ value: Double?) -> String {
        value.map { String(format: "%.4g", $0) } ?? "–"
    }

    /// `823452` as `804 KiB`.
    static func bytes(_ count: Int) -> String {
        if count < 1024 { return "\(count) B" }
        if count < 1 << 20 { return String(format: "%.0f KiB", Double(count) / 1024) }
        return String(format: "%.1f MiB", Double(count) / 1_048_576)
    }

    /// `2026-11-22 16:18 UTC`; a dash for nothing.
    static func date(_ date: Date?) -> String {
        guard let date else { return "–" }
        let text = date.formatted(.iso8601)
        return text.prefix(16).replacingOccurrences(of: "T", with: " ") + " UTC"
    }

    /// A JSON value as a person reads it: texts without quotes.
    static func value(_ value: JSONValue?) -> String {
        guard let value else { return "–" }
        return value.stringValue ?? CanonicalJSON.text(of: value)
    }
}

extension JSONValue {
    /// A number, or null for nil.
    static func optional(_ value: Double?) -> JSONValue { value.map(JSONValue.number) ?? .null }
    /// A whole number, or null for nil.
    static func optional(_ value: Int?) -> JSONValue { value.map(JSONValue.integer) ?? .null }
    /// A text, or null for nil.
    static func optional(_ value: String?) -> JSONValue { value.map(JSONValue.string) ?? .null }
    /// A time in ISO 8601, or null for nil.
    static func optional(_ value: Date?) -> JSONValue {
        .optional(value.map { $0.formatted(.iso8601) })
    }
}
