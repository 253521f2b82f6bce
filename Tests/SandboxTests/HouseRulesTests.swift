import Foundation
import Testing

/// Rules of the house that a machine can check.
@Suite struct HouseRulesTests {
    /// The rooms that may hold unsafe pointers and unchecked sendability.
    private static let unsafeRooms = ["Kernels", "TensorStorage", "Platform", "Plotting"]

    private struct SourceFile {
        let path: String
        let lines: [Substring]
        var room: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }
    }

    private func swiftFiles(_ folder: String) throws -> [SourceFile] {
        let root = "\(Program.package)/\(folder)"
        return try FileManager.default.subpathsOfDirectory(atPath: root)
            .filter { $0.hasSuffix(".swift") }.sorted().map { path in
                let text = try String(contentsOfFile: "\(root)/\(path)", encoding: .utf8)
                return SourceFile(
                    path: "\(folder)/\(path)",
                    lines: text.split(separator: "\n", omittingEmptySubsequences: false))
            }
    }

    /// `path:line: text` of every line that matches.
    private func places(
        _ pattern: Regex<Substring>, in files: [SourceFile], code: Bool = true
    ) -> [String] {
        files.flatMap { file in
            file.lines.enumerated().compactMap { index, line in
                let text = line.trimmingCharacters(in: .whitespaces)
                if code && text.hasPrefix("//") { return nil }
                return text.firstMatch(of: pattern) == nil
                    ? nil : "\(file.path):\(index + 1): \(text)"
            }
        }
    }

    @Test func unsafeCodeStandsInItsRooms() throws {
        let files = try swiftFiles("Sources")
        let pattern =
            /Unsafe[A-Z]\w*Pointer|withUnsafe|unsafe[A-Z]\w*|@unchecked|nonisolated\(unsafe\)/
        let outside = files.filter { !Self.unsafeRooms.contains($0.room) }
        #expect(places(pattern, in: outside) == [])
        // The pattern finds something where it may.
        for room in Self.unsafeRooms {
            #expect(places(pattern, in: files.filter { $0.room == room }) != [], "\(room)")
        }
    }

    @Test func nothingGivesUp() throws {
        let files = try swiftFiles("Sources")
        #expect(places(/\bfatalError\b|\btry!|\bas!/, in: files) == [])
        #expect(places(/\bTODO\b|\bFIXME\b|\bXXX\b/, in: files, code: false) == [])
    }

    @Test func filesStayShort() throws {
        let files = try swiftFiles("Sources") + swiftFiles("Tests")
        #expect(files.count > 100)
        #expect(files.filter { $0.lines.count > 400 }.map(\.path) == [])
    }

    @Test func noPlaceholderIsLeft() throws {
        let files = try swiftFiles("Sources") + swiftFiles("Tests")
        #expect(files.map(\.path).filter { $0.hasSuffix("/Placeholder.swift") } == [])
    }

    /// The whole-buffer rooms below Mechanism know no class names, and Training knows neither prompts nor text.
    @Test func roomsImportOnlyWhatLiesBelow() throws {
        let allowed: [String: Set<String>] = [
            "Platform": [], "Randomness": [], "Kernels": ["COpenBLAS", "CVector", "Platform"],
            "TensorStorage": ["Kernels", "Platform"],
            "Transformer": ["Kernels", "TensorStorage", "Randomness"],
            "InContextRegression": ["Kernels", "Randomness"], "Statistics": ["Randomness"],
            "Reporting": [],
            "Experiments": ["Yams", "Logging", "CCrypto", "Platform"],
            "Training": [
                "Transformer", "Kernels", "TensorStorage", "Experiments", "Platform", "Logging",
            ],
            "Corpora": [
                "CZlib", "CSQLite", "Tokenizers", "Randomness", "Experiments", "Platform",
            ],
            "ContextualPrompts": ["Randomness", "Experiments", "Platform", "FoundationNetworking"],
            "Objectives": [
                "Corpora", "ContextualPrompts", "Tokenizers", "Randomness", "Experiments",
            ],
            "Plotting": ["CPLplot", "Platform"], "Tokenizers": ["Platform"],
            "LanguageModeling": [
                "Transformer", "Tokenizers", "Kernels", "TensorStorage", "Randomness",
                "Experiments", "Platform",
            ],
        ]
        let system: Set<String> = ["Foundation", "Synchronization"]
        for file in try swiftFiles("Sources") {
            guard let rooms = allowed[file.room] else { continue }
            let imports = file.lines.filter { $0.hasPrefix("import ") }
                .map { String($0.dropFirst("import ".count)) }
            #expect(Set(imports).subtracting(rooms).subtracting(system) == [], "\(file.path)")
        }
    }
}
