import Foundation
import Platform

/// The secret that a request carries, which must not reach a file, a log or a message.
///
/// Only ``authorization`` gives the text out; printing and dumping do not.
struct EndpointKey: Sendable {
    private let secret: String
    /// Keys of local servers are placeholders such as `EMPTY`, which an answer may hold by chance.
    private static let shortestSecret = 8

    /// Reads the key from the variable `name`; nil when no variable is named.
    ///
    /// - Throws: `SystemError` when the variable is not set, empty or no header's text.
    init?(variable name: String?, in environment: [String: String]) throws {
        guard let name else { return nil }
        let value = environment[name]?.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
        if value.isEmpty {
            throw SystemError(
                "the environment variable '\(name)', which should hold the endpoint's key, is "
                    + (environment[name] == nil ? "not set" : "empty")
                    + "; set it, or name no variable for an endpoint without keys")
        }
        // Anything else would end the header or begin another.
        guard value.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw SystemError(
                "the environment variable '\(name)' holds spaces, line ends or letters beyond ASCII; set it to the "
                    + "endpoint's key alone")
        }
        secret = value
    }

    /// The value of the request's `Authorization`.
    var authorization: String { "Bearer \(secret)" }

    /// `text` without the key.
    func redacted(_ text: String) -> String {
        text.replacingOccurrences(of: secret, with: "[key]")
    }

    /// Whether `text` gives the key away.
    func isIn(_ text: String) -> Bool {
        secret.count >= Self.shortestSecret && text.contains(secret)
    }
}

extension EndpointKey: CustomStringConvertible, CustomReflectable {
    /// What stands for the key wherever it is printed.
    var description: String { "[key]" }
    /// Nothing, so that a dump shows nothing either.
    var customMirror: Mirror { Mirror(self, children: [:]) }
}
