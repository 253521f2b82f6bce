import Foundation
import Platform

/// Where and from what a run was made.
public struct Provenance: Hashable, Codable, Sendable {
    /// The commit of the program's sources: of the repository it was built in, or what `make install` noted beside
    /// it; nil when neither is known.
    public var gitCommit: String?
    /// Whether tracked files differed from that commit; nil when there is no commit.
    public var gitIsDirty: Bool?
    /// The machine's name.
    public var hostName: String
    /// The processor's name.
    public var cpu: String
    /// The architecture, such as `x86_64`.
    public var architecture: String
    /// Cores the process could use.
    public var coreCount: Int
    /// The command line, program name first.
    public var arguments: [String]
    /// The process that wrote this.
    public var processIdentifier: Int
    /// When it was written.
    public var date: Date

    enum CodingKeys: String, CodingKey {
        case gitCommit = "git_commit"
        case gitIsDirty = "git_dirty"
        case hostName = "host"
        case cpu, architecture
        case coreCount = "cores"
        case arguments = "argv"
        case processIdentifier = "pid"
        case date
    }

    /// What is true now.
    ///
    /// - Parameter executable: the program whose commit is asked for.
    public static func current(executable: String? = Executable.path) -> Provenance {
        let cpu = CPU.current()
        let source = executable.flatMap(commit)
        return Provenance(
            gitCommit: source?.hash, gitIsDirty: source?.isDirty,
            hostName: ProcessInfo.processInfo.hostName, cpu: cpu.model,
            architecture: cpu.architecture, coreCount: cpu.coreCount,
            arguments: CommandLine.arguments,
            processIdentifier: Int(ProcessInfo.processInfo.processIdentifier), date: Date())
    }

    /// The commit of a program: `<prefix>/share/sandbox/commit` of an installed one (a hash, then `dirty` when tracked
    /// files differed), otherwise that of the repository around it.
    private static func commit(of executable: String) -> (hash: String, isDirty: Bool)? {
        let folder = Path.parent(of: executable)
        let note = "\(Path.parent(of: folder))/share/sandbox/commit"
        if let text = try? String(contentsOfFile: note, encoding: .utf8) {
            let words = text.split(whereSeparator: \.isWhitespace)
            return words.first.map { (String($0), words.dropFirst().first == "dirty") }
        }
        guard let hash = git(["rev-parse", "HEAD"], in: folder),
            // Published results say nothing about the program; publishing one picture must not mark the next.
            let changes = git(
                [
                    "status", "--porcelain", "--untracked-files=no", "--", ":/",
                    ":(top,exclude)plots",
                ], in: folder)
        else { return nil }
        return (hash, !changes.isEmpty)
    }

    /// The trimmed output of a git command; nil when git is missing or the command fails.
    private static func git(_ arguments: [String], in folder: String) -> String? {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        // Asking must not write: without this, `status` refreshes the index and takes its lock.
        process.arguments = ["GIT_OPTIONAL_LOCKS=0", "git", "-C", folder] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        if process.terminationStatus != 0 { return nil }
        return String(decoding: data, as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
