import Experiments
import Foundation
import Platform

/// Refuses an output that would take the place of a file it is computed from, or of something in a folder of such files.
///
/// - Throws: `ConfigurationError` that names the source.
func refuseToReplace(_ sources: [String], by output: String) throws {
    let target = realPlace(of: output)
    for source in sources.map({ (given: $0, place: realPlace(of: $0)) })
    where target == source.place || target.hasPrefix(source.place + "/") {
        throw ConfigurationError(
            SourceMark(source: "command line: --output \(output)"),
            "\(source.given) is read by this command and would be replaced; name another file")
    }
}

/// The absolute path of `path` without links; a file that is not there yet is named by its folder's.
private func realPlace(of path: String) -> String {
    if let place = Folder.resolved(path) { return place }
    let parent = Path.parent(of: path)
    guard let folder = Folder.resolved(parent.isEmpty ? "." : parent) else { return path }
    return (folder == "/" ? "" : folder) + "/" + Path.name(of: path)
}

/// Makes sure that a file can be written at `output`, before the work that would be lost otherwise.
///
/// - Throws: `SystemError` as the writing would.
func requirePlace(for output: String) throws {
    let parent = Path.parent(of: output)
    let folder = parent.isEmpty ? "." : parent
    var code: Int32 = 0
    if output.isEmpty {
        code = ENOENT
    } else if Folder.isFolder(output) {
        code = EISDIR
    } else if access(output, F_OK) != 0 || Folder.holdsFile(output) {
        // A new file takes the place of an old one; a device is written through.
        code = access(folder + "/.", W_OK) == 0 ? 0 : errno
    }
    guard code != 0 else { return }
    throw SystemError(
        "cannot write '\(output)': \(SystemError.reason(code, at: output))", code: code)
}

/// Whether `path` is what standard output goes to, as /dev/stdout is.
func isStandardOutput(_ path: String) -> Bool {
    var (file, stream) = (stat(), stat())
    return stat(path, &file) == 0 && fstat(STDOUT_FILENO, &stream) == 0
        && file.st_dev == stream.st_dev && file.st_ino == stream.st_ino
}
