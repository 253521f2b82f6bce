/// A name that no function class, layout or baseline has.
public struct UnknownNameError: Error, CustomStringConvertible, Sendable {
    /// What was looked for, as in "prompt layout".
    public let kind: String
    /// The name as it was given.
    public let name: String
    /// Every name that would have been accepted.
    public let accepted: [String]
    /// The accepted name with the fewest edits from `name`; nil when none is near: at most two edits, or a third of
    /// the name's length.
    public let nearest: String?

    init(kind: String, name: String, accepted: [String]) {
        self.kind = kind
        self.name = name
        self.accepted = accepted
        nearest =
            accepted.map { (name: $0, distance: editDistance($0, name)) }
            .filter { $0.distance <= max(2, name.count / 3) && $0.distance < name.count }
            .min { $0.distance < $1.distance }?.name
    }

    /// One sentence with the nearest name and all accepted ones.
    public var description: String {
        "unknown \(kind) '\(name)'" + (nearest.map { ": the nearest is '\($0)'" } ?? "")
            + " (accepted: " + accepted.joined(separator: ", ") + ")"
    }
}

/// The number of insertions, deletions and replacements of a character that turn `a` into `b`.
private func editDistance(_ a: String, _ b: String) -> Int {
    let target = Array(b)
    var row = Array(0...target.count)
    for (index, character) in a.enumerated() {
        var diagonal = row[0]
        row[0] = index + 1
        for column in 1..<(target.count + 1) {
            let replacement = diagonal + (character == target[column - 1] ? 0 : 1)
            diagonal = row[column]
            row[column] = min(replacement, diagonal + 1, row[column - 1] + 1)
        }
    }
    return row[target.count]
}
