import Foundation

/// What is known of the processor: for choosing kernels, for metadata, for `bench machine`.
public struct CPU: Hashable, Sendable {
    /// The marketing name, or implementer and part number where the kernel gives no name (most ARM machines).
    public let model: String
    /// The architecture as `uname -m` says it: `x86_64`, `aarch64`.
    public let architecture: String
    /// The instruction-set flags of `/proc/cpuinfo`, in its spelling.
    public let flags: Set<String>
    /// Cores this process may use (its affinity), at least 1.
    public let coreCount: Int

    /// Width of the widest usable SIMD register in bits: 512, 256 or 128.
    public var simdWidthBits: Int {
        if flags.contains("avx512f") { return 512 }
        return flags.contains("avx2") ? 256 : 128
    }

    /// The SIMD extensions among ``flags`` that kernels care about, oldest first.
    public var simdExtensions: [String] {
        let known = [
            "sse4_2", "avx", "fma", "avx2", "avx512f", "avx512vl", "avx512_vnni", "avx512_bf16",
            "neon", "asimd", "sve", "sve2",
        ]
        return known.filter(flags.contains)
    }

    /// The processor this process runs on.
    public static func current() -> CPU {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        return CPU(
            processorInformation: text, architecture: machineName(),
            coreCount: ProcessInfo.processInfo.activeProcessorCount)
    }

    /// Reads the text of a `/proc/cpuinfo`, of which the first processor's block speaks for all.
    init(processorInformation: String, architecture: String, coreCount: Int) {
        var fields: [String: String] = [:]
        for line in processorInformation.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count < 2 { continue }
            let key = parts[0].trimmingCharacters(in: .whitespaces)
            if fields[key] == nil {
                fields[key] = parts[1].trimmingCharacters(in: .whitespaces)
            }
        }
        self.architecture = architecture
        self.coreCount = max(1, coreCount)
        let list = fields["flags"] ?? fields["Features"] ?? ""
        flags = Set(list.split(separator: " ").map(String.init))
        if let name = fields["model name"] ?? fields["Model"] ?? fields["Hardware"] {
            model = name
        } else if let implementer = fields["CPU implementer"], let part = fields["CPU part"] {
            model = "\(architecture) (implementer \(implementer), part \(part))"
        } else {
            model = architecture
        }
    }

    private static func machineName() -> String {
        var information = utsname()
        if uname(&information) != 0 { return "unknown" }
        return withUnsafePointer(to: &information.machine) { tuple in
            tuple.withMemoryRebound(to: CChar.self, capacity: 65) { String(cString: $0) }
        }
    }
}
