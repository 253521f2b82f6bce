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
