import CSQLite
import Foundation
import Platform

/// An SQLite database that is only read, and taken to be changed by nobody meanwhile: no lock and no journal is
/// touched, so that it may lie on a medium that cannot be written.
final class Database {
    /// What SQLite says is wrong.
    struct Problem: Error {
        let reason: String
    }

    private var handle: OpaquePointer?

    /// Opens the file at `path`.
    init(_ path: String) throws(Problem) {
        let absolute = Folder.resolved(path) ?? path
        // `?`, `#` and `%` in the name would mean something in a URI.
        let name = absolute.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? path
        let flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI
        guard sqlite3_open_v2("file:\(name)?immutable=1", &handle, flags, nil) == SQLITE_OK else {
            throw problem()
        }
    }

    deinit { sqlite3_close(handle) }

    /// Calls `body` with the texts of every row, nil for NULL, until it answers false.
    func forEachRow(of query: String, _ body: ([String?]) throws -> Bool) throws {
        var statement: OpaquePointer?
        guard sqlite3_prepare_v2(handle, query, -1, &statement, nil) == SQLITE_OK else {
            throw problem()
        }
        defer { sqlite3_finalize(statement) }
        while true {
            let code = sqlite3_step(statement)
            if code == SQLITE_DONE { return }
            guard code == SQLITE_ROW else { throw problem() }
            let columns = 0..<sqlite3_column_count(statement)
            guard try body(columns.map { try text(statement, $0) }) else { return }
        }
    }

    private func text(_ statement: OpaquePointer?, _ column: Int32) throws(Problem) -> String? {
        guard let bytes = sqlite3_column_text(statement, column) else { return nil }
        let decoded = String.decodeCString(bytes, as: UTF8.self, repairingInvalidCodeUnits: false)
        guard let decoded else { throw Problem(reason: "a text is not valid UTF-8") }
        return decoded.result
    }

    private func problem() -> Problem { Problem(reason: String(cString: sqlite3_errmsg(handle))) }
}
