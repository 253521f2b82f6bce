import Foundation
import Platform

/// A table with named columns, written and read as CSV (RFC 4180; lines end in LF).
public struct CSVTable: Hashable, Sendable {
    /// The column names.
    public let header: [String]
    /// The rows, each as long as the header.
    public private(set) var rows: [[String]] = []

    /// Makes an empty table.
    public init(header: [String]) { self.header = header }

    /// Adds a row, which must be as long as the header.
    public mutating func append(_ row: [String]) {
        precondition(
            row.count == header.count, "a row of \(row.count) cells for \(header.count) columns")
        rows.append(row)
    }

    /// The text of a number in a cell: shortest that reads back; empty for nil, NaN and infinities.
    public static func cell(_ value: Double?) -> String {
        guard let value, value.isFinite else { return "" }
        return CanonicalJSON.text(of: .number(value))
    }

    /// All values of one column; nil when there is no such column.
    public func column(_ name: String) -> [String]? {
        guard let index = header.firstIndex(of: name) else { return nil }
        return rows.map { $0[index] }
    }

    /// The table as CSV; cells with a comma, a quote or a line break are quoted.
    public var text: String {
        ([header] + rows).map { row in
            row.map(CSVTable.quoted).joined(separator: ",") + "\n"
        }.joined()
    }

    /// Writes the table, whole or not at all.
    public func write(to path: String) throws { try AtomicFile.write(text, to: path) }

    /// Reads a table from the file at `path`.
    public static func read(_ path: String) throws -> CSVTable {
        let text = String(decoding: try WholeFile.read(path), as: UTF8.self)
        return try CSVTable(text: text, source: path)
    }

    /// Reads a table from CSV text; `source` names it in errors.
    public init(text: String, source: String) throws {
        let records = try CSVTable.records(Array(text.unicodeScalars), source: source)
        guard let (_, header) = records.first else {
            throw SystemError("'\(source)' is empty; expected a line of column names")
        }
        self.header = header
        for (line, row) in records.dropFirst() {
            if row.count != header.count {
                throw SystemError(
                    "\(source):\(line): \(row.count) cells, but there are \(header.count) columns")
            }
            rows.append(row)
        }
    }

    private static func quoted(_ cell: String) -> String {
        let needsQuotes = cell.unicodeScalars.contains { ",\"\r\n".unicodeScalars.contains($0) }
        if !needsQuotes { return cell }
        return "\"" + cell.replacingOccurrences(of: "\"", with: "\"\"") + "\""
    }

    /// The records with the line each begins at.
    private static func records(
        _ text: [Unicode.Scalar], source: String
    ) throws -> [(line: Int, cells: [String])] {
        var records: [(line: Int, cells: [String])] = []
        var cells: [String] = []
        var cell = String.UnicodeScalarView()
        var line = 1
        var firstLine = 1
        var index = 0
        func endCell() {
            cells.append(String(cell))
            cell = String.UnicodeScalarView()
        }
        while index < text.count {
            let character = text[index]
            index += 1
            switch character {
            case "\"":
                var isClosed = false
                while index < text.count && !isClosed {
                    if text[index] == "\"" && index + 1 < text.count && text[index + 1] == "\"" {
                        cell.append("\"")
                        index += 2
                    } else if text[index] == "\"" {
                        isClosed = true
                        index += 1
                    } else {
                        if text[index] == "\n" { line += 1 }
                        cell.append(text[index])
                        index += 1
                    }
                }
                if !isClosed { throw SystemError("\(source):\(firstLine): a quote is not closed") }
            case ",": endCell()
            case "\r" where index < text.count && text[index] == "\n": break
            case "\n":
                endCell()
                records.append((firstLine, cells))
                cells = []
                line += 1
                firstLine = line
            default: cell.append(character)
            }
        }
        if !cell.isEmpty || !cells.isEmpty {
            endCell()
            records.append((firstLine, cells))
        }
        return records
    }
}
