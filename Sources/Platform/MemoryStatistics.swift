import Foundation

/// Memory of this process and this machine, and free disk space, in bytes.
public struct MemoryStatistics: Hashable, Sendable {
    /// Resident memory of this process now (`VmRSS`).
    public let residentBytes: Int
    /// The largest resident memory this process has had (`VmHWM`).
    public let peakResidentBytes: Int
    /// The machine's memory.
    public let totalBytes: Int

    /// The figures now; zeros where `/proc/self/status` is missing.
    public static func current() -> MemoryStatistics {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        return MemoryStatistics(
            residentBytes: kibibytes("VmRSS", in: status) * 1024,
            peakResidentBytes: kibibytes("VmHWM", in: status) * 1024,
            totalBytes: Int(ProcessInfo.processInfo.physicalMemory))
    }

    /// The bytes that this process can still take: what the machine has left, swap included, or less where `ulimit -v` says so;
    /// the largest number where `/proc` does not tell.
    public static func available() -> Int {
        func text(_ path: String) -> String {
            (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        }
        let machine = text("/proc/meminfo")
        let free = kibibytes("MemAvailable", in: machine) + kibibytes("SwapFree", in: machine)
        var limit = rlimit()
        // The size of the address space counts against the limit, mapped files included.
        let isLimited = getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0
        let used = kibibytes("VmSize", in: text("/proc/self/status")) * 1024
        let left = isLimited ? Int(clamping: limit.rlim_cur) - used : .max
        return min(free == 0 ? .max : free * 1024, max(0, left))
    }

    /// The bytes that this user may still write on the file system of `path`, which must exist.
    public static func freeDisk(at path: String) throws -> Int {
        var information = statvfs()
        if statvfs(path, &information) != 0 {
            throw SystemError.failed(to: "read the free space of", path)
        }
        return Int(information.f_bavail) * Int(information.f_frsize)
    }

    /// The number in a line such as `VmRSS:     1234 kB`; 0 when there is none.
    static func kibibytes(_ field: String, in status: String) -> Int {
        for line in status.split(separator: "\n") where line.hasPrefix(field + ":") {
            let words = line.split(whereSeparator: \.isWhitespace)
            return words.count > 1 ? Int(words[1]) ?? 0 : 0
        }
        return 0
    }
}
