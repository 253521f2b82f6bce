import Foundation

/// Damaged copies of files, for readers that must refuse what they cannot use.
///
/// `SANDBOX_MUTATIONS` says how many are tried (2,000 when it is not set), `SANDBOX_MUTATION_SEED` where the sequence
/// begins.
public struct Mutations: Sendable {
    private static let environment = ProcessInfo.processInfo.environment
    /// How many damaged files are tried.
    public static let count = Int(environment["SANDBOX_MUTATIONS"] ?? "") ?? 2000
    /// Where the sequence begins.
    public static let seed = UInt64(environment["SANDBOX_MUTATION_SEED"] ?? "") ?? 1

    private let fragments: [[UInt8]]

    /// - Parameter fragments: pieces of text that are put in: what tends to break the reader.
    public init(fragments: [String]) { self.fragments = fragments.map { Array($0.utf8) } }

    /// `bytes` with one to four of: a byte replaced, a bit turned, a piece removed, repeated elsewhere, put in or put in
    /// another's place.
    ///
    /// - Parameters:
    ///   - bytes: a file.
    ///   - limit: no damage begins behind this byte.
    ///   - generator: decides the damage.
    public func damaged(
        _ bytes: [UInt8], within limit: Int = .max, _ generator: inout TestGenerator
    ) -> [UInt8] {
        var bytes = bytes
        for _ in 0...Int.random(in: 0...3, using: &generator) {
            let place = Int.random(in: 0...min(limit, bytes.count), using: &generator)
            let length = min(bytes.count - place, Int.random(in: 0...12, using: &generator))
            let fragment = fragments.randomElement(using: &generator) ?? []
            switch Int.random(in: 0..<6, using: &generator) {
            case 0 where place < bytes.count:
                bytes[place] = UInt8.random(in: 0...255, using: &generator)
            case 1 where place < bytes.count:
                bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &generator)
            case 2: bytes.removeSubrange(place..<place + length)
            case 3:
                let copy = Array(bytes[place..<place + length])
                let target = Int.random(in: 0...min(limit, bytes.count), using: &generator)
                bytes.insert(contentsOf: copy, at: target)
            case 4: bytes.insert(contentsOf: fragment, at: place)
            default: bytes.replaceSubrange(place..<place + length, with: fragment)
            }
        }
        return bytes
    }
}
