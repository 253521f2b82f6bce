import ArgumentParser
import Experiments
import Foundation
import Mechanism
import Platform

/// `sandbox import`: models made elsewhere.
struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Take in models made elsewhere.",
        discussion: """
            Exit status: 0 imported, 1 a folder that holds no usable model, 64 a usage error.

            Example:
              sandbox import garg models/linear_regression/pretrained
            """,
        subcommands: [ImportGargCommand.self])
}

/// `sandbox import garg`: a checkpoint of the public in-context-learning code.
struct ImportGargCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "garg",
        abstract: "Make a base model of a folder in the public code's form.",
        discussion: """
            The folder holds the public code's config.yaml and a model.safetensors of its state dict (README: the three \
            lines that turn a state.pt into one). The result is a run under runs/bases that `pretraining.from` takes.

            Exit status: 0 imported, 1 a folder that holds no usable model, 64 a usage error.

            Example:
              sandbox import garg models/linear_regression/pretrained
              sandbox sweep --class polynomial pretraining.from=runs/bases/imported-1a2b3c4d
            """)

    @Argument(help: "The folder with config.yaml and model.safetensors.")
    var folder: String

    @Option(help: "The folder that holds the runs.")
    var runs = "runs"

    @Flag(help: "Print the path of the run as JSON.")
    var json = false

    func run() throws {
        try reportingErrors {
            let path = try PublicForm.importModel(
                from: folder, runs: runs, programVersion: Version.text)
            try reportPath(path, json: json)
        }
    }
}

/// `sandbox export`: models and results for other programs.
struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write models and results for other programs.",
        discussion: """
            Exit status: 0 written, 1 a run that cannot be read or written, 64 a usage error.

            Example:
              sandbox export garg runs/polynomial/cft-s0-1a2b3c4d --output exported
              sandbox export csv polynomial --output polynomial.csv
            """,
        subcommands: [
            ExportGargCommand.self, ExportCSVCommand.self, ExportMetricsCommand.self,
        ])
}

/// `sandbox export garg`: a folder that the public code loads.
struct ExportGargCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "garg",
        abstract: "Write a model as config.yaml and model.safetensors in the public code's form.",
        discussion: """
            The public TransformerModel loads the tensors with strict=False; --with-wte adds zeros for the embedding it \
            never uses, so that a strict load works too.

            Exit status: 0 written, 1 no usable model or a folder that exists already, 64 a usage error or an unknown run.

            Example:
              sandbox export garg runs/polynomial/cft-s0-1a2b3c4d --output exported
              sandbox export garg 1a2b3c4d --output exported
            """)

    @Argument(
        help: ArgumentHelp(
            "The folder of a run, a checkpoint or a model in the public form, or a run as for 'sandbox runs show'.",
            valueName: "run"))
    var name: String

    @OptionGroup var folder: RunsFolder

    @Option(help: "The folder to write; it must not exist.")
    var output: String

    @Flag(help: "Add zeros for _backbone.wte.weight [50257, C].")
    var withWte = false

    @Flag(help: "Print the path of the folder as JSON.")
    var json = false

    func run() throws {
        try reportingErrors {
            let isPath = FileManager.default.fileExists(atPath: name)
            let source = isPath ? name : try folder.catalog.run(name).directory.path
            try PublicForm.export(from: source, to: output, withTokenEmbedding: withWte)
            try reportPath(output, json: json)
        }
    }
}

/// Says what was written: `wrote PATH`, or {"path": PATH}.
private func reportPath(_ path: String, json: Bool) throws {
    let report: JSONValue = ["path": .string(path)]
    try Terminal.print(json ? CanonicalJSON.text(of: report) + "\n" : "wrote \(path)\n")
}
