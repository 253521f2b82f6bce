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

            Example:
              sandbox import garg models/linear_regression/pretrained
              sandbox sweep --class polynomial pretraining.from=runs/bases/imported-1a2b3c4d
            """)

    @Argument(help: "The folder with config.yaml and model.safetensors.")
    var folder: String

    @Option(help: "The folder that holds the runs.")
    var runs = "runs"

    func run() throws {
        try reportingErrors {
            let path = try PublicForm.importModel(
                from: folder, runs: runs, programVersion: Version.text)
            Terminal.write("wrote \(path)\n", to: .output)
        }
    }
}

/// `sandbox export`: models for other programs.
struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write models for other programs.",
        discussion: """
            Example:
              sandbox export garg runs/polynomial/cft-s0-1a2b3c4d --output exported
            """,
        subcommands: [ExportGargCommand.self])
}

/// `sandbox export garg`: a folder that the public code loads.
struct ExportGargCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "garg",
        abstract: "Write a model as config.yaml and model.safetensors in the public code's form.",
        discussion: """
            The public TransformerModel loads the tensors with strict=False; --with-wte adds zeros for the embedding it \
            never uses, so that a strict load works too.

            Example:
              sandbox export garg runs/polynomial/cft-s0-1a2b3c4d --output exported
            """)

    @Argument(help: "A run, a checkpoint, or a folder in the public form.")
    var folder: String

    @Option(help: "The folder to write; it must not exist.")
    var output: String

    @Flag(help: "Add zeros for _backbone.wte.weight [50257, C].")
    var withWte = false

    func run() throws {
        try reportingErrors {
            try PublicForm.export(from: folder, to: output, withTokenEmbedding: withWte)
            Terminal.write("wrote \(output)\n", to: .output)
        }
    }
}
