import ArgumentParser
import Experiments
import Foundation
import KernelCases
import Kernels
import Platform
import Transformer

/// `sandbox bench kernels`: how long each kernel of a training step takes.
struct BenchKernelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kernels",
        abstract: "Time every kernel of a training step, forward and backward, on one core.",
        discussion: """
            The kernels are those the tests hold against naive twins and differences, at the sizes of one shard of \
            64 prompts.

            Example:
              sandbox bench kernels --model small --layout cft

            Exit status: 0 measured, 1 OpenBLAS is missing, 64 a usage error.
            """)

    @OptionGroup var subject: BenchSubject

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        try reportingErrors {
            subject.tell()
            let peak = matrixProductRate(workers: 1)
            let times = cases().map(KernelTimes.init)
            if json {
                let report: JSONValue = [
                    "model": .string(subject.model.rawValue),
                    "layout": .string(subject.layout.rawValue),
                    "precision": .string(subject.precision.rawValue),
                    "peak_gflops": .number((peak * 10).rounded() / 10),
                    "kernels": .array(times.map(\.json)),
                ]
                try Terminal.print(CanonicalJSON.text(of: report) + "\n")
            } else {
                let heading = String(
                    format: "%@ under %@, %@, one core; products alone reach %.0f GFLOP/s\n",
                    subject.model.rawValue, subject.layout.rawValue, subject.precision.rawValue,
                    peak)
                try Terminal.print(
                    heading + KernelTimes.heading
                        + times.map { $0.row(peak: peak) }.joined())
            }
        }
    }

    /// The kernels of one shard.
    private func cases() -> [KernelCase] {
        let (points, precision) = (subject.points, subject.precision)
        let prompts = subject.layout.prompts.0
        let length = prompts.tokenCount(points: points)
        let examples = ShardPlan(examples: 64, length: length).examplesPerShard
        let rows = examples * length
        let decoder = subject.decoder
        let sizes = decoder.configuration
        let width = sizes.embeddingDimension
        let asked = prompts.trainingForm(points: points).queryTokens.map(\.token)
        return [
            .linear(rows: rows, from: subject.dims, to: width),
            .layerNorm(rows: rows, width: width),
            .linear(rows: rows, from: width, to: 3 * width, precision: precision),
            .attention(
                examples: examples, length: length, headCount: sizes.headCount,
                headSize: sizes.headSize),
            .attention(
                examples: examples, length: length, headCount: sizes.headCount,
                headSize: sizes.headSize, positions: asked),
            .linearOntoResidual(rows: rows, from: width, to: width, precision: precision),
            .feedForward(
                rows: rows, width: width, hidden: sizes.hiddenDimension, precision: precision),
            .rowSelection(examples: examples, length: length, width: width, positions: asked),
            .projection(rows: examples * asked.count, width: width),
            .adam(count: decoder.layout.count),
        ]
    }
}

/// Seconds of one kernel.
private struct KernelTimes {
    let kernel: KernelCase
    /// Best of several rounds, so that other work on the machine shows least.
    let forward: Double
    let backward: Double?

    init(_ kernel: KernelCase) {
        self.kernel = kernel
        func memory(_ operands: [KernelCase.Operand]) -> [FloatView] {
            operands.map { operand in
                FloatView((0..<operand.count).map { Float($0 * 7919 % 1000) / 1000 })
            }
        }
        let inputs = memory(kernel.inputs)
        let outputs = memory(kernel.outputs)
        let dInputs = memory(kernel.inputs)
        let passes = kernel.passes()
        passes.prepare(inputs)
        forward = Self.best { passes.forward(inputs, outputs) }
        backward = passes.backward.map { backward in
            Self.best { backward(inputs, outputs, dInputs) }
        }
    }

    /// The shortest of at least seven rounds, each long enough for the clock.
    private static func best(_ body: () -> Void) -> Double {
        body()
        let clock = ContinuousClock()
        let once = clock.measure(body) / .seconds(1)
        let repeats = max(1, Int(2e-3 / max(once, 1e-9)))
        return (0..<7).map { _ in
            clock.measure { for _ in 0..<repeats { body() } } / .seconds(1) / Double(repeats)
        }.min() ?? once
    }

    var json: JSONValue {
        func microseconds(_ seconds: Double) -> JSONValue {
            .number((seconds * 1e9).rounded() / 1e3)
        }
        func rate(_ operations: Double, _ seconds: Double) -> JSONValue {
            operations == 0 ? .null : .number((operations / seconds / 1e8).rounded() / 10)
        }
        return [
            "name": .string(kernel.name), "size": .string(kernel.size),
            "forward_us": microseconds(forward),
            "forward_gflops": rate(kernel.operations, forward),
            "backward_us": backward.map(microseconds) ?? .null,
            "backward_gflops": backward.map { rate(kernel.backwardOperations, $0) } ?? .null,
        ]
    }

    static let heading = columns(
        "kernel", "size", "forward µs", "GFLOP/s", "backward µs", "GFLOP/s")

    func row(peak: Double) -> String {
        func rate(_ operations: Double, _ seconds: Double) -> String {
            if operations == 0 { return "–" }
            let rate = operations / seconds / 1e9
            return String(format: "%.0f (%.0f %%)", rate, 100 * rate / peak)
        }
        return Self.columns(
            kernel.name, kernel.size, String(format: "%.1f", forward * 1e6),
            rate(kernel.operations, forward),
            backward.map { String(format: "%.1f", $0 * 1e6) } ?? "–",
            backward.map { rate(kernel.backwardOperations, $0) } ?? "–")
    }

    private static func columns(_ cells: String...) -> String {
        let widths = [24, 36, 12, 14, 13, 14]
        let row = zip(cells, widths).map { cell, width in
            cell + String(repeating: " ", count: max(1, width - cell.count))
        }.joined()
        return row.trimmingCharacters(in: .whitespaces) + "\n"
    }
}
