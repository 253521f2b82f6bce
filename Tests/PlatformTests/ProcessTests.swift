import Foundation
import Testing

@testable import Platform

@Suite struct ProcessTests {
    /// A terminal that closes sends SIGHUP.
    @Test(arguments: [SIGINT, SIGTERM, SIGHUP]) func firstSignalRaisesTheFlag(signal: Int32) async {
        await #expect(processExitsWith: .exitCode(3)) { [signal = signal as Int32] in
            InterruptFlag.install()
            if InterruptFlag.isRaised { exit(1) }
            kill(getpid(), signal)
            waitForFlag()
            exit(InterruptFlag.isRaised ? 3 : 2)
        }
    }

    @Test func whereNothingIsToBeKeptTheFirstSignalEnds() async {
        await #expect(processExitsWith: .exitCode(75)) {
            InterruptFlag.install()
            InterruptFlag.exitAtOnce()
            kill(getpid(), SIGINT)
            sleep(10)
            exit(1)
        }
    }

    @Test func secondSignalEndsTheProcess() async {
        await #expect(processExitsWith: .exitCode(75)) {
            InterruptFlag.install()
            kill(getpid(), SIGINT)
            waitForFlag()
            kill(getpid(), SIGTERM)
            sleep(10)
            exit(1)
        }
    }

    @Test func aClosedReaderDoesNotEndTheProcess() async {
        await #expect(processExitsWith: .exitCode(3)) {
            FailedWrites.becomeErrors()
            let pipe = Pipe()
            dup2(pipe.fileHandleForWriting.fileDescriptor, 2)
            try pipe.fileHandleForReading.close()
            Terminal.write("into the void\n", to: .error)
            exit(3)
        }
    }

    @Test func knowsItsOwnFile() throws {
        let path = try #require(Executable.path)
        #expect(FileManager.default.isExecutableFile(atPath: path))
    }
}

/// Waits until a signal sent to this process has arrived, at most some seconds: library threads block signals,
/// so another thread takes it, at its own time.
private func waitForFlag() {
    for _ in 0..<1000 where !InterruptFlag.isRaised { usleep(5000) }
}

@Suite struct MachineTests {
    @Test(arguments: [
        ("flags\t\t: fpu sse4_2 avx avx2 fma avx512f avx512_bf16", 512),
        ("flags\t\t: fpu sse4_2 avx avx2 fma", 256), ("flags : fpu sse2", 128),
    ])
    func readsX86(flags: String, width: Int) {
        let text = "processor\t: 0\nmodel name\t: Acme 9000: turbo\n\(flags)\n\nprocessor\t: 1\n"
        let cpu = CPU(processorInformation: text, architecture: "x86_64", coreCount: 2)
        #expect(cpu.model == "Acme 9000: turbo")
        #expect(cpu.simdWidthBits == width)
        #expect(cpu.flags.contains("fpu"))
        #expect(!cpu.simdExtensions.contains("fpu"))
    }

    @Test func readsARM() {
        let text = """
            processor\t: 0
            Features\t: fp asimd sve
            CPU implementer\t: 0x41
            CPU part\t: 0xd40
            """
        let cpu = CPU(processorInformation: text, architecture: "aarch64", coreCount: 4)
        #expect(cpu.model == "aarch64 (implementer 0x41, part 0xd40)")
        #expect(cpu.simdExtensions == ["asimd", "sve"])
        #expect(cpu.simdWidthBits == 128)
    }

    @Test func knowsLittleOfAnEmptyFile() {
        let cpu = CPU(processorInformation: "", architecture: "riscv64", coreCount: 0)
        #expect(cpu.model == "riscv64" && cpu.coreCount == 1 && cpu.flags.isEmpty)
    }

    @Test func describesThisMachine() {
        let cpu = CPU.current()
        #expect(["x86_64", "aarch64"].contains(cpu.architecture))
        #expect(cpu.coreCount >= 1 && !cpu.flags.isEmpty)
    }

    @Test func seesMemoryGrow() {
        let before = MemoryStatistics.current()
        let block = [UInt8](repeating: 1, count: 64 << 20)
        let after = MemoryStatistics.current()
        #expect(block.last == 1)
        #expect(before.residentBytes > 0)
        #expect(after.residentBytes - before.residentBytes > 48 << 20)
        #expect(after.peakResidentBytes >= after.residentBytes)
        #expect(after.totalBytes > after.peakResidentBytes)
        #expect(MemoryStatistics.kibibytes("VmRSS", in: "VmRSSX: 3 kB\nVmRSS:\t  12 kB\n") == 12)
        #expect(MemoryStatistics.kibibytes("VmHWM", in: "VmRSS: 3 kB\n") == 0)
    }

    /// No more than the machine has, and less by what is taken under a limit of the address space.
    @Test func seesAvailableMemory() async {
        let memory = MemoryStatistics.current()
        #expect(MemoryStatistics.available() > 0)
        #expect(MemoryStatistics.available() < 64 * memory.totalBytes)
        await #expect(processExitsWith: .exitCode(3)) {
            let before = MemoryStatistics.available()
            var limit = rlimit(rlim_cur: 1 << 40, rlim_max: 1 << 40)
            setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
            if MemoryStatistics.available() > min(before + 1 << 30, 1 << 40) { exit(1) }
            limit.rlim_cur = 1 << 20
            setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
            exit(MemoryStatistics.available() == 0 ? 3 : 2)
        }
    }

    @Test func readsFreeDisk() throws {
        let free = try MemoryStatistics.freeDisk(at: NSTemporaryDirectory())
        let information = try FileManager.default.attributesOfFileSystem(
            forPath: NSTemporaryDirectory())
        let size = try #require(information[.systemSize] as? NSNumber).intValue
        #expect(free > 0 && free <= size)
        let error = #expect(throws: SystemError.self) {
            try MemoryStatistics.freeDisk(at: "/nowhere")
        }
        #expect(
            error?.description
                == "cannot read the free space of '/nowhere': No such file or directory")
    }
}
