import ArgumentParser
import Experiments
import Foundation
import Kernels
import Platform
import Plotting

/// `sandbox bench`: measurements of this machine.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure this machine.",
        discussion: """
            Examples:
              sandbox bench machine
              sandbox bench step --model standard --layout cft
              sandbox bench kernels --model small
              sandbox bench eval --model tiny
              sandbox bench text --model path/to/llama
              sandbox bench tune --model path/to/llama
              sandbox bench tokenize corpus.txt --tokenizer tokenizer.json

            Exit status: 0 measured, 1 OpenBLAS is missing, 64 a usage error.
            """,
        subcommands: [
            BenchMachineCommand.self, BenchStepCommand.self, BenchKernelsCommand.self,
            BenchEvalCommand.self, BenchTextCommand.self, BenchTuneCommand.self,
            BenchTokenizeCommand.self,
        ])
}

/// `sandbox bench machine`: what a bug report should begin with.
struct BenchMachineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "machine",
        abstract:
            "Show CPU, SIMD width, BLAS kernel and its measured rate, PLplot drivers and free disk.",
        discussion: """
            Example:
              sandbox bench machine --json

            Exit status: 0 measured, 1 OpenBLAS is missing, 64 a usage error.
            """)

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        try reportingErrors {
            let report = try MachineReport.measure()
            let text = json ? CanonicalJSON.text(of: report.json) + "\n" : report.text
            try Terminal.print(text)
        }
    }
}

/// The figures of `bench machine`.
struct MachineReport {
    let cpu: CPU
    let oneCore: Double
    let allCores: Double
    let workers: Int
    let drivers: [String]
    /// Why pictures cannot be drawn here, with the cure.
    let plotProblem: String?
    let freeDisk: Int
    let memory: Int

    static func measure() throws -> MachineReport {
        let cpu = CPU.current()
        return MachineReport(
            cpu: cpu, oneCore: matrixProductRate(workers: 1),
            allCores: matrixProductRate(workers: cpu.coreCount), workers: cpu.coreCount,
            drivers: PlotDrivers.available(), plotProblem: PlotDrivers.problem(),
            freeDisk: try MemoryStatistics.freeDisk(at: "."),
            memory: MemoryStatistics.current().totalBytes)
    }

    var json: JSONValue {
        [
            "cpu": .string(cpu.model), "architecture": .string(cpu.architecture),
            "cores": .integer(cpu.coreCount), "simd_bits": .integer(cpu.simdWidthBits),
            "simd": .array(cpu.simdExtensions.map(JSONValue.string)),
            "blas": .string(BLAS.version), "blas_kernel": .string(BLAS.kernelName),
            "matrix_product_gflops_one_core": .number((oneCore * 10).rounded() / 10),
            "matrix_product_gflops_all_cores": .number((allCores * 10).rounded() / 10),
            "plplot_drivers": .array(drivers.map(JSONValue.string)),
            "free_disk_bytes": .integer(freeDisk), "memory_bytes": .integer(memory),
        ]
    }

    var text: String {
        let wanted = ["pngcairo", "svgcairo", "pdfcairo"].filter(drivers.contains)
        let plplot = plotProblem ?? wanted.joined(separator: ", ")
        let rows = [
            ("CPU", "\(cpu.model), \(cpu.coreCount) cores, \(cpu.architecture)"),
            (
                "SIMD",
                "\(cpu.simdWidthBits) bits (\(cpu.simdExtensions.joined(separator: ", ")))"
            ),
            ("BLAS", "\(BLAS.version), kernel \(BLAS.kernelName)"),
            (
                "Products",
                String(
                    format: "%.0f GFLOP/s on one core, %.0f on %d (fp32)", oneCore, allCores,
                    workers)
            ),
            ("PLplot", plplot),
            ("Memory", String(format: "%.1f GiB", Double(memory) / 1_073_741_824)),
            ("Free disk", String(format: "%.1f GiB here", Double(freeDisk) / 1_073_741_824)),
        ]
        return rows.map { $0.0.padding(toLength: 11, withPad: " ", startingAt: 0) + $0.1 + "\n" }
            .joined()
    }
}

/// The best rate of fp32 matrix products in GFLOP/s, each worker on products of its own.
///
/// 256 × 256 × 1024: a shard's product with a feed-forward matrix of the standard model.
///
/// - Parameter workers: number of workers.
func matrixProductRate(workers: Int) -> Double {
    BLAS.useOneThread()
    let (rows, inner, columns) = (256, 256, 1024)
    let repeats = 20
    let pool = WorkerPool(workers: workers)
    let operands = (0..<workers).map { _ in
        (
            FloatView(zeros: rows * inner), FloatView(zeros: inner * columns),
            FloatView(zeros: rows * columns)
        )
    }
    var best = Double.infinity
    let clock = ContinuousClock()
    for _ in 0..<8 {
        let elapsed = clock.measure {
            pool.run(parts: workers) { lane, _ in
                let (a, b, c) = operands[lane]
                for _ in 0..<repeats {
                    matrixProduct(output: c, a: a, b: b, rows: rows, columns: columns, inner: inner)
                }
            }
        }
        best = min(best, elapsed / .seconds(1))
    }
    return 2 * Double(rows * inner * columns * repeats * workers) / best / 1e9
}
