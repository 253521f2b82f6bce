import ArgumentParser
import ContextualPrompts
import Experiments
import Foundation
import Kernels
import Mechanism
import Platform
import Training

/// The command `sandbox`; each verb has a file of its own.
@main
struct Sandbox: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox",
        abstract: "A research sandbox for contextual fine-tuning.",
        discussion: """
            Pretrains a small transformer on linear functions in context, fine-tunes it on composed functions with \
            and without contextual prompts, and draws error against context length.

            \(exitStatusHelp)

            Example:
              sandbox sweep --class polynomial
            """,
        version: Version.text,
        subcommands: [
            SweepCommand.self, TrainCommand.self, EvalCommand.self, PlotCommand.self,
            ClaimsCommand.self, ReportCommand.self, RunsCommand.self, ValidateCommand.self,
            ForwardCommand.self,
            ImportCommand.self,
            ExportCommand.self, TextCommand.self, BenchCommand.self,
        ])

    static func main() {
        StandardStreams.openClosedOnes()
        FailedWrites.becomeErrors()
        do {
            try refuseBrokenText()
            try refuseUnknownVerb()
            var command = try parseAsRoot(withJoinedNegatives(CommandLine.arguments.dropFirst()))
            try command.run()
        } catch {
            exit(withError: error)
        }
    }

    /// Refuses an argument that is no UTF-8: Swift would put other characters in its place.
    private static func refuseBrokenText() throws {
        guard let (number, shown) = ProgramArguments.firstBroken else { return }
        throw ValidationError("argument \(number), '\(shown)', is not UTF-8; write it in UTF-8")
    }

    /// `--seed -1` as `--seed=-1`: the parser takes what begins with a dash for an option, and would call the value missing.
    private static func withJoinedNegatives(_ arguments: ArraySlice<String>) -> [String] {
        var joined: [String] = []
        for argument in arguments {
            if argument.hasPrefix("-"), Double(argument) != nil, let option = joined.last,
                option.hasPrefix("--"), !joined.contains("--"), !option.contains("=")
            {
                joined[joined.count - 1] += "=" + argument
            } else {
                joined.append(argument)
            }
        }
        return joined
    }

    /// Refuses a first argument that is no verb, with the nearest one: the parser would call it an unexpected argument.
    private static func refuseUnknownVerb() throws {
        let verbs = configuration.subcommands.compactMap { $0.configuration.commandName }
        guard let first = CommandLine.arguments.dropFirst().first, !first.hasPrefix("-"),
            !(verbs + ["help"]).contains(first)
        else { return }
        throw ValidationError("unknown verb '\(first)'" + Spelling.hint(for: first, among: verbs))
    }
}

/// The program's version, shown by `--version` and kept in every run's metadata.
enum Version {
    static let text = "0.1.0"
}

/// What every verb's help says about its exit status.
let exitStatusHelp =
    "Exit status: 0 success, 1 a failed run, 64 a usage error, 75 interrupted and resumable."

/// Writes a note to standard error, unless `--quiet` was given; the parent of a `--child` has written it.
func note(_ sentence: String) {
    if Set(CommandLine.arguments).isDisjoint(with: ["--quiet", "--child"]) {
        Terminal.write("note: \(sentence)\n", to: .error)
    }
}

/// The work of a verb, with OpenBLAS loaded: a sentence for the user and the exit status that goes with it.
///
/// - Parameter body: the work.
/// - Throws: `ExitCode` after the sentence has been written to standard error.
func reportingErrors(_ body: () throws -> Void) throws {
    do {
        // Before the work begins, so that nothing is half done when the library is missing.
        try BLAS.load()
        if let line = BLAS.startNote { note(line) }
        try body()
    } catch let error as ExitCode {
        throw error
    } catch let error as ValidationError {
        throw error
    } catch let error where error is InterruptedError || error is PromptsInterrupted {
        Terminal.write("\(error)\n", to: .error)
        throw ExitCode(InterruptFlag.exitStatus)
    } catch let error as ConfigurationError {
        Terminal.write("error: \(error)\n", to: .error)
        throw ExitCode(64)
    } catch {
        Terminal.write("error: \(error)\n", to: .error)
        throw ExitCode(1)
    }
}
