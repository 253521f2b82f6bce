/// Bounds on what a file may ask for, far beyond what tokenizers need: without them a small file makes a short text
/// take hours or all memory.
enum FileLimits {
    /// Bytes of a string that is looked for in texts or put into them.
    static let stringLength = 256
    /// Bytes that are put before every stretch of a text.
    static let prefixLength = 64
    /// How many times as long replacements may make a text.
    static let growth = 16.0
    /// Components of one kind, one after the other.
    static let steps = 32
    /// Added tokens.
    static let addedTokens = 1 << 17
    /// Tokens around a text.
    static let surroundingTokens = 1000

    /// Refuses a string that is too long.
    static func check(_ string: some Collection<UInt8>, _ place: String) throws(FileProblem) {
        guard string.count <= stringLength else {
            throw FileProblem(
                "\(place) has \(string.count) bytes; up to \(stringLength) are supported.")
        }
    }

    /// Refuses too many of something.
    static func check(
        count: Int, of what: String, _ place: String, atMost maximum: Int
    ) throws(FileProblem) {
        guard count <= maximum else {
            throw FileProblem("\(place) has more than \(maximum) \(what); no more are supported.")
        }
    }

    /// Refuses replacements that one after the other let a text grow beyond measure.
    static func check(
        _ replacements: [(pattern: [UInt8], content: [UInt8])], _ place: String
    ) throws(FileProblem) {
        var growth = 1.0
        for (pattern, content) in replacements {
            growth *= max(1, Double(content.count) / Double(pattern.count))
        }
        guard growth <= Self.growth else {
            throw FileProblem(
                "\(place) can make a text more than \(Int(Self.growth)) times as long; no more is supported."
            )
        }
    }
}
