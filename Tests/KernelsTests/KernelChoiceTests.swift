import Foundation
import Testing

@testable import Kernels
@testable import Platform

/// What is made of the environment before OpenBLAS is loaded.
@Suite struct KernelChoiceTests {
    private static func cpu(_ flags: String) -> CPU {
        CPU(processorInformation: "flags : \(flags)", architecture: "x86_64", coreCount: 1)
    }

    private static let narrow = cpu("sse4_2")
    private static let middle = cpu("sse4_2 avx")
    private static let avx2 = cpu("sse4_2 avx avx2")
    private static let wide = cpu("sse4_2 avx avx2 avx512f")

    private func choice(_ environment: [String: String], _ cpu: CPU = avx2) throws -> KernelChoice {
        try KernelChoice(environment: environment, cpu: cpu)
    }

    @Test func anEnvironmentThatFitsIsLeftAlone() throws {
        let fitting: [([String: String], CPU)] = [
            ([:], Self.avx2), (["OPENBLAS_CORETYPE": "Haswell"], Self.avx2),
            (["OPENBLAS_CORETYPE": "zen"], Self.avx2),
            (["OPENBLAS_CORETYPE": "", "OPENBLAS_L2_SIZE": ""], Self.avx2),
            (["OPENBLAS_CORETYPE": "SkylakeX"], Self.wide),
            (["OPENBLAS_CORETYPE": "Sandybridge"], Self.middle),
            (["OPENBLAS_CORETYPE": "Prescott"], Self.narrow),
            (["OPENBLAS_CORETYPE": "NEOVERSEN1"], Self.narrow),
        ]
        for (environment, cpu) in fitting {
            let choice = try choice(environment, cpu)
            #expect(choice.removed == [] && choice.coreType == nil, "\(environment)")
            #expect(try choice.note(runningKernel: "Zen") == nil)
        }
    }

    @Test func whatDoesNotFitIsRemovedAndTold() throws {
        let unfit: [([String: String], CPU, String)] = [
            (["OPENBLAS_CORETYPE": "Prescott"], Self.avx2, "OPENBLAS_CORETYPE=Prescott"),
            (["OPENBLAS_CORETYPE": "Sandybridge"], Self.avx2, "OPENBLAS_CORETYPE=Sandybridge"),
            (["OPENBLAS_CORETYPE": "Haswell"], Self.wide, "OPENBLAS_CORETYPE=Haswell"),
            // Such a kernel would end the process at its first product.
            (["OPENBLAS_CORETYPE": "SkylakeX"], Self.avx2, "OPENBLAS_CORETYPE=SkylakeX"),
            (["OPENBLAS_CORETYPE": "Haswell"], Self.middle, "OPENBLAS_CORETYPE=Haswell"),
            (["OPENBLAS_L2_SIZE": "512"], Self.avx2, "OPENBLAS_L2_SIZE=512"),
            (
                ["OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_L2_SIZE": "512"], Self.avx2,
                "OPENBLAS_CORETYPE=Haswell OPENBLAS_L2_SIZE=512"
            ),
        ]
        for (environment, cpu, told) in unfit {
            let choice = try choice(environment, cpu)
            #expect(Set(choice.removed) == Set(environment.keys) && choice.coreType == nil)
            #expect(
                try choice.note(runningKernel: "Zen")
                    == "OpenBLAS runs its Zen kernel: \(told) did not fit this CPU and was left out"
            )
        }
    }

    @Test func theUsersOwnChoiceWins() throws {
        let own = try choice([
            "SANDBOX_BLAS_KERNEL": "Prescott", "OPENBLAS_CORETYPE": "Haswell",
            "OPENBLAS_L2_SIZE": "512",
        ])
        #expect(own.removed == ["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"])
        #expect(own.coreType == "Prescott")
        #expect(
            try own.note(runningKernel: "PRESCOTT")
                == "OpenBLAS runs its PRESCOTT kernel (SANDBOX_BLAS_KERNEL=Prescott)")
        let error = #expect(throws: BLASError.self) { try own.note(runningKernel: "Haswell") }
        #expect(
            error?.description
                == "OpenBLAS does not know the kernel SANDBOX_BLAS_KERNEL=Prescott and runs Haswell; unset it or "
                + "name one such as Haswell, Zen or SkylakeX")

        let same = try choice(["SANDBOX_BLAS_KERNEL": "Zen", "OPENBLAS_CORETYPE": "Zen"])
        #expect(same.removed == [] && same.coreType == nil)
        #expect(try same.note(runningKernel: "Zen") == nil)
        #expect(throws: BLASError.self) { try same.note(runningKernel: "Haswell") }
        #expect(try choice(["SANDBOX_BLAS_KERNEL": ""]).coreType == nil)
    }

    @Test func aKernelThatIsTooWideIsRefused() throws {
        #expect(try choice(["SANDBOX_BLAS_KERNEL": "Sandybridge"], Self.middle).coreType != nil)
        for (kernel, cpu, bits) in [
            ("SkylakeX", Self.avx2, 256), ("Haswell", Self.middle, 128),
            ("Sandybridge", Self.narrow, 128),
        ] {
            let error = #expect(throws: BLASError.self) {
                try choice(["SANDBOX_BLAS_KERNEL": kernel], cpu)
            }
            #expect(
                error?.description
                    == "SANDBOX_BLAS_KERNEL=\(kernel) needs wider vectors than this CPU's \(bits) bits; unset it or "
                    + "name a narrower kernel, such as Haswell")
        }
    }

    // MARK: The library

    private static let isX86 = CPU.current().architecture == "x86_64"

    /// Loading corrects the process's environment first, so that a test runner has the best kernel too.
    @Test(.enabled(if: isX86)) func loadingPutsTheEnvironmentRight() async {
        await #expect(processExitsWith: .exitCode(3)) {
            setenv("OPENBLAS_CORETYPE", "Prescott", 1)
            setenv("OPENBLAS_L2_SIZE", "512", 1)
            unsetenv("SANDBOX_BLAS_KERNEL")
            try BLAS.load()
            let bits = KernelChoice.vectorBits(ofKernel: BLAS.kernelName)
            if bits < CPU.current().simdWidthBits || BLAS.startNote == nil { exit(1) }
            exit(getenv("OPENBLAS_CORETYPE") == nil && getenv("OPENBLAS_L2_SIZE") == nil ? 3 : 2)
        }
    }

    /// What the user chose for this process is no setting of its children.
    @Test(.enabled(if: isX86)) func aChosenKernelLeavesNoVariableBehind() async {
        await #expect(processExitsWith: .exitCode(3)) {
            setenv("SANDBOX_BLAS_KERNEL", "prescott", 1)
            setenv("OPENBLAS_CORETYPE", "Haswell", 1)
            try BLAS.load()
            if BLAS.kernelName != "Prescott" { exit(1) }
            exit(getenv("OPENBLAS_CORETYPE") == nil ? 3 : 2)
        }
    }
}
