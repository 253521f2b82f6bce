import ArgumentParser
import Experiments
import FineTuning
import Kernels
import LanguageModeling
import Platform

/// `sandbox text merge`: adapters into the model they belong to.
struct TextMergeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Merge LoRA adapters into their model: W + (alpha / r) B A.",
        discussion: """
            Reads adapters as PEFT saves them and writes a model's folder that needs no adapters.

            Example:
              sandbox text merge --model path/to/llama --adapter runs/cft-lora/…/adapter --output merged

            \(exitStatusHelp)
            """)

    @Option(help: "The folder of the model that the adapters were trained on.")
    var model: String

    @Option(help: "A folder with adapter_config.json and adapter_model.safetensors.")
    var adapter: String

    @Option(help: "The folder to create.")
    var output: String

    @Option(help: "What every tensor is stored as: f32, f16 or bf16; as in the model unless given.")
    var dtype: StoredType?

    @Flag(help: "No progress.")
    var quiet = false

    func run() throws {
        try reportingErrors {
            InterruptFlag.install()
            let base = try ModelDirectory(path: model)
            let merge = AdapterMerge(
                base: base, adapter: try AdapterDirectory(path: adapter, base: base))
            let isShown = !quiet && Terminal.isTerminal(.error)
            var progress = ProgressLine(
                label: "writing \(output)", total: merge.byteCount(dtype?.element) / 1_000_000,
                unit: "MB", style: .automatic(isQuiet: !isShown))
            defer { progress.finish() }
            var written = 0
            try merge.write(
                to: output, storedAs: dtype?.element,
                pool: WorkerPool(workers: CPU.current().coreCount)
            ) { bytes in
                written += bytes
                progress.update(step: written / 1_000_000)
                guard InterruptFlag.isRaised else { return }
                progress.finish()
                Terminal.write("interrupted; nothing is left behind\n", to: .error)
                throw ExitCode(InterruptFlag.exitStatus)
            }
            progress.finish()
            try Terminal.print("wrote \(output)\n")
        }
    }
}
