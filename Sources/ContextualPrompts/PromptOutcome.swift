import Experiments
import Foundation

/// What one request for a prompt led to.
enum PromptOutcome: Sendable, Equatable {
    /// A prompt.
    case prompt(String)
    /// What came instead; another attempt may help, after so many seconds when the server names them.
    case temporary(String, retryAfter: Double? = nil)
    /// What came instead, and the cure; another attempt would not help.
    case final(String, cure: String)

    /// The most characters of a prompt.
    static let maximumCharacters = 2000

    /// Judges an answer.
    ///
    /// - Parameters:
    ///   - reply: the answer.
    ///   - key: what no message and no prompt may hold.
    ///   - now: against which a `Retry-After` with a date counts.
    init(_ reply: HTTPReply, key: EndpointKey?, now: Date = Date()) {
        switch reply.status {
        case 200..<300: self = Self.prompt(in: reply.body, key: key)
        case 300..<400:
            let target = shown(reply.location ?? "nowhere", key: key)
            self = .final(
                "answered HTTP \(reply.status), which leads to \(target)",
                cure: "name the address at which the endpoint is")
        default:
            let what = "answered HTTP \(reply.status)" + Self.explanation(reply.body, key: key)
            if Self.isTemporary(reply.status) {
                self = .temporary(
                    what, retryAfter: reply.retryAfter.flatMap { Self.seconds($0, now) })
            } else {
                self = .final(what, cure: Self.cure(status: reply.status))
            }
        }
    }

    /// Judges a request without an answer.
    init(_ failure: HTTPFailure, timeout: Double, key: EndpointKey?) {
        switch failure {
        case .timeout: self = .temporary("did not answer within \(String(format: "%g", timeout)) s")
        case .tooLong: self = .temporary("sent more than \(HTTPPost.maximumBytes) bytes")
        case .connection(let reason):
            self = .temporary("could not be reached (\(shown(reason, key: key)))")
        }
    }

    /// The prompt in the body of a good answer, or what stands there instead.
    private static func prompt(in body: Data, key: EndpointKey?) -> PromptOutcome {
        guard let json = try? JSONDecoder().decode(JSONValue.self, from: body) else {
            if body.isEmpty { return .temporary("sent an empty answer") }
            let text = String(decoding: body, as: UTF8.self)
            if isHTML(text) { return .temporary("sent an HTML page instead of JSON") }
            return .temporary("sent no JSON but \(shown(text, key: key))")
        }
        guard let content = json["choices"]?.arrayValue?.first?["message"]?["content"]?.stringValue
        else {
            let text = shown(CanonicalJSON.text(of: json), key: key)
            return .temporary("sent JSON without choices[0].message.content: \(text)")
        }
        return prompt(from: content, key: key)
    }

    private static func prompt(from content: String, key: EndpointKey?) -> PromptOutcome {
        let prompt = withoutQuotes(content)
        if prompt.isEmpty { return .temporary("sent an empty prompt") }
        if prompt.count > maximumCharacters {
            return .temporary(
                "sent a prompt of \(prompt.count) characters, more than \(maximumCharacters)")
        }
        if isHTML(prompt) { return .temporary("sent an HTML page as the prompt") }
        if key?.isIn(prompt) == true { return .temporary("sent the key back as the prompt") }
        return .prompt(prompt)
    }

    private static func isHTML(_ text: String) -> Bool {
        let text = text.lowercased()
        let start = text.drop { $0.isWhitespace }
        return ["<!doctype", "<html", "<head", "<body"].contains { start.hasPrefix($0) }
            || text.contains("</html>")
    }

    /// What the server says about its refusal, as `, '…'`: the message of the usual error objects, or the body.
    private static func explanation(_ body: Data, key: EndpointKey?) -> String {
        let text = String(decoding: body, as: UTF8.self)
        if text.allSatisfy(\.isWhitespace) { return "" }
        if isHTML(text) { return " with an HTML page" }
        guard let json = try? JSONDecoder().decode(JSONValue.self, from: body) else {
            return ", " + shown(text, key: key)
        }
        let places = [json["error"]?["message"], json["error"], json["message"], json["detail"]]
        let message = places.lazy.compactMap { $0?.stringValue }.first
        return ", " + shown(message ?? CanonicalJSON.text(of: json), key: key)
    }

    /// Whether a status may pass: not where the server cannot do what is asked at all.
    private static func isTemporary(_ status: Int) -> Bool {
        [408, 429].contains(status) || status >= 500 && ![501, 505].contains(status)
    }

    private static func cure(status: Int) -> String {
        switch status {
        case 401, 403: "check the key and the variable that holds it"
        case 404, 501: "check the model's name and the address, which often ends in /v1"
        case 413: "the document is too long for it: shorten it"
        default: "change the document or the options as it says"
        }
    }

    /// The seconds that `Retry-After` asks for: a number, or the time of an HTTP date.
    static func seconds(_ header: String, _ now: Date) -> Double? {
        let header = header.trimmingCharacters(in: .whitespaces)
        if let seconds = Double(header) { return seconds.isFinite ? max(0, seconds) : nil }
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(secondsFromGMT: 0)
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        return format.date(from: header).map { max(0, $0.timeIntervalSince(now)) }
    }
}

/// A server's text for a message: in quotes, without the key, on one line, shortened.
private func shown(_ text: String, key: EndpointKey?) -> String {
    // The key goes first: shortened or escaped it would not be found.
    let line = (key?.redacted(text) ?? text).split { $0.isWhitespace }.joined(separator: " ")
    let plain = line.unicodeScalars.map { scalar in
        scalar.properties.generalCategory == .control ? scalar.escaped(asASCII: false) : "\(scalar)"
    }.joined()
    return plain.count > 200 ? "'\(plain.prefix(200))…'" : "'\(plain)'"
}

/// `text` without the white space and the pairs of quotes around it.
///
/// `"A" and "B"` keeps its quotes: within a pair that surrounds the whole, no word begins with one.
func withoutQuotes(_ text: String) -> String {
    let pairs: [(open: Character, close: Character)] = [
        ("\"", "\""), ("'", "'"), ("`", "`"), ("“", "”"), ("‘", "’"), ("„", "“"), ("«", "»"),
    ]
    let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
    guard text.count > 1, let pair = pairs.first(where: { $0.open == text.first }),
        pair.close == text.last
    else { return text }
    let inner = text.dropFirst().dropLast()
    let words = inner.split { $0.isWhitespace }
    // A quote right behind the first one is another pair: ""text"".
    if words.dropFirst().contains(where: { $0.first == pair.open }) { return text }
    return withoutQuotes(String(inner))
}
