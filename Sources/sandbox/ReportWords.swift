import Experiments
import Foundation
import InContextRegression
import Platform
import Statistics

/// How a report writes numbers and commands.
enum ReportWords {
    /// `4.21 [3.9, 4.5]`; a dash for nothing.
    static func text(_ estimate: Estimate?) -> String {
        guard let estimate else { return "–" }
        return "\(number(estimate.mean)) "
            + interval(estimate.interval.low, estimate.interval.high)
    }

    /// `[3.9, 4.5]`, `(−∞, 4.5]` with an end missing; a dash without either.
    static func interval(_ low: Double?, _ high: Double?) -> String {
        if low == nil && high == nil { return "–" }
        return (low.map { "[\(number($0))" } ?? "(−∞") + ", "
            + (high.map { "\(number($0))]" } ?? "∞)")
    }

    /// Three significant digits; a dash for nothing.
    static func number(_ value: Double?) -> String {
        guard let value else { return "–" }
        return String(format: "%.3g", value).replacing("-", with: "−")
    }

    /// The values that differ, in order.
    static func distinct(_ values: [String]) -> String {
        var found: [String] = []
        for value in values where !found.contains(value) { found.append(value) }
        return found.joined(separator: ", ")
    }

    /// The command that asks for a sweep, as a shell takes it.
    static func command(_ manifest: SweepManifest) -> String {
        (["sandbox", "sweep"] + source(of: manifest)
            + (manifest.preset.map { ["--preset", $0] } ?? []) + manifest.overrides)
            .map(quoted).joined(separator: " ")
    }

    /// The file of a sweep; the class where `--class` had none to read.
    private static func source(of manifest: SweepManifest) -> [String] {
        let stem = Path.stem(of: manifest.file)
        let isClass = FunctionClasses.all.contains { $0.name == stem }
        return isClass && !Folder.holdsFile(manifest.file)
            ? ["--class", stem] : ["-f", manifest.file]
    }

    /// An argument as a shell takes it.
    private static func quoted(_ argument: String) -> String {
        let plain = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-_./=,:+@%"))
        let isPlain = !argument.isEmpty && argument.unicodeScalars.allSatisfy(plain.contains)
        return isPlain ? argument : "'\(argument.replacing("'", with: "'\\''"))'"
    }
}
