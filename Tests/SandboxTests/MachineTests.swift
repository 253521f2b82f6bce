import Experiments
import Foundation
import Platform
import TestSupport
import Testing

/// `bench machine`, and how the program finds its BLAS kernel.
@Suite struct MachineTests {
    private func report(_ environment: [String: String?] = [:]) throws -> (JSONValue, String) {
        let outcome = try Program.run(
            ["bench", "machine", "--json"], in: NSTemporaryDirectory(), environment: environment)
        #expect(outcome.exitCode == 0, "\(outcome)")
        return (try json(outcome.output), outcome.errors)
    }

    @Test func tellsWhatABugReportNeeds() throws {
        let (report, errors) = try report()
        #expect(errors == "")
        let cpu = CPU.current()
        #expect(report["cpu"]?.stringValue == cpu.model)
        #expect(report["cores"]?.integerValue == cpu.coreCount)
        #expect(report["simd_bits"]?.integerValue == cpu.simdWidthBits)
        #expect(report["blas"]?.stringValue?.hasPrefix("OpenBLAS ") == true)
        let kernel = try #require(report["blas_kernel"]?.stringValue)
        #expect(!kernel.isEmpty)
        let one = try #require(report["matrix_product_gflops_one_core"]?.doubleValue)
        let all = try #require(report["matrix_product_gflops_all_cores"]?.doubleValue)
        #expect(one > 1 && all > 1)
        let drivers = report["plplot_drivers"]?.arrayValue?.compactMap(\.stringValue) ?? []
        #expect(Set(drivers).isSuperset(of: ["pngcairo", "svgcairo", "pdfcairo"]))
        #expect((report["free_disk_bytes"]?.integerValue ?? 0) > 0)
        #expect((report["memory_bytes"]?.integerValue ?? 0) > 1 << 28)

        let text = try Program.run(["bench", "machine"], in: NSTemporaryDirectory())
        #expect(text.exitCode == 0 && text.errors == "")
        for word in [cpu.model, kernel, "GFLOP/s", "pngcairo", "GiB"] {
            #expect(text.output.contains(word), "\(text)")
        }
    }

    /// Runs on x86 alone: the kernels named here are x86's.
    private static let isX86 = CPU.current().architecture == "x86_64"

    @Test(
        .enabled(if: isX86),
        arguments: [
            ["OPENBLAS_CORETYPE": "Prescott"],
            ["OPENBLAS_CORETYPE": "Prescott", "OPENBLAS_L2_SIZE": "512"],
            ["OPENBLAS_L2_SIZE": "512"],
            ["OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_L2_SIZE": "512"],
        ] as [[String: String]])
    func settingsThatDoNotFitAreLeftOut(_ environment: [String: String]) throws {
        let best = try report().0["blas_kernel"]
        let (report, errors) = try report(environment)
        #expect(report["blas_kernel"] == best)
        let told = ["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"]
            .compactMap { name in environment[name].map { "\(name)=\($0)" } }
            .joined(separator: " ")
        #expect(
            errors
                == "note: OpenBLAS runs its \(best?.stringValue ?? "") kernel: \(told) did not fit this CPU and was "
                + "left out\n")
    }

    @Test(.enabled(if: isX86)) func theUsersOwnChoiceWins() throws {
        let (report, errors) = try report([
            "SANDBOX_BLAS_KERNEL": "Prescott", "OPENBLAS_CORETYPE": "Haswell",
            "OPENBLAS_L2_SIZE": "512",
        ])
        #expect(report["blas_kernel"]?.stringValue == "Prescott")
        #expect(
            errors == "note: OpenBLAS runs its Prescott kernel (SANDBOX_BLAS_KERNEL=Prescott)\n")
    }

    @Test(.enabled(if: isX86 && CPU.current().simdWidthBits < 512))
    func aKernelTheCPUCannotRunIsRefused() throws {
        let outcome = try Program.run(
            ["bench", "machine"], in: NSTemporaryDirectory(),
            environment: ["SANDBOX_BLAS_KERNEL": "SkylakeX"])
        #expect(outcome.exitCode == 1 && outcome.output == "")
        #expect(outcome.errors.hasPrefix("error: SANDBOX_BLAS_KERNEL=SkylakeX needs wider vectors"))
        #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome)")
    }
}
