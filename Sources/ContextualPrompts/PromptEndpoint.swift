import Foundation
import Platform

/// The address that prompts are asked of.
struct PromptEndpoint: Sendable {
    static let suffix = "/chat/completions"

    /// Where requests go.
    let url: URL
    /// The address for messages, without what may be secret in it: user, password and query.
    let shown: String

    /// - Parameter text: the base address, such as `http://127.0.0.1:8080/v1`, or the whole one.
    /// - Throws: `SystemError` for what is no http or https address.
    init(_ text: String) throws {
        guard var components = URLComponents(string: text),
            ["http", "https"].contains(components.scheme?.lowercased()),
            components.host?.isEmpty == false
        else {
            // Not shown when it may hold a password.
            let word = text.contains("@") || text.contains("?") ? "the given one" : "'\(text)'"
            throw SystemError(
                "the prompt generator's address is \(word); expected one such as http://127.0.0.1:8080/v1"
            )
        }
        var path = Substring(components.percentEncodedPath)
        while path.last == "/" { path.removeLast() }
        components.percentEncodedPath =
            path.hasSuffix(Self.suffix) ? String(path) : path + Self.suffix
        components.fragment = nil
        guard let url = components.url else {
            throw SystemError("the prompt generator's address makes no URL; write it anew")
        }
        self.url = url
        components.user = nil
        components.password = nil
        components.query = nil
        shown = components.string ?? "the endpoint"
    }
}
