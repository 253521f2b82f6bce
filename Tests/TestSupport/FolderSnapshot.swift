import Foundation

/// Which files a folder holds, with contents and times: what must not change when nothing is done.
public struct FolderSnapshot: Equatable, Sendable {
    /// One file.
    public struct File: Equatable, Sendable {
        /// Its bytes.
        public let contents: Data
        /// When it was last written.
        public let modified: Date
    }

    /// The files by path relative to the folder; links count as what they point to.
    public let files: [String: File]

    /// Reads every file below `folder` whose relative path `isCounted`.
    public init(_ folder: String, where isCounted: (String) -> Bool = { _ in true }) throws {
        var files: [String: File] = [:]
        let manager = FileManager.default
        for path in try manager.subpathsOfDirectory(atPath: folder) where isCounted(path) {
            let full = "\(folder)/\(path)"
            var isFolder: ObjCBool = false
            guard manager.fileExists(atPath: full, isDirectory: &isFolder), !isFolder.boolValue
            else { continue }
            let date = try manager.attributesOfItem(atPath: full)[.modificationDate] as? Date
            files[path] = File(
                contents: try Data(contentsOf: URL(fileURLWithPath: full)),
                modified: date ?? .distantPast)
        }
        self.files = files
    }

    /// The files that were added, removed, changed or only touched since `earlier`, sorted.
    public func changes(since earlier: FolderSnapshot) -> [String] {
        Set(files.keys).union(earlier.files.keys).filter { files[$0] != earlier.files[$0] }
            .sorted()
    }
}
