import Experiments
import Foundation
import Platform

/// Asks for one prompt after another, with retries and pauses.
struct PromptAsker {
    /// A server that asks for a longer pause, in seconds, is not waited for.
    static let longestPause = 600.0
    /// The longest pause of the program's own, in seconds.
    static let longestBackoff = 60.0

    private let options: PromptGeneratorOptions
    private let endpoint: PromptEndpoint
    private let key: EndpointKey?
    private let patience: Patience
    private var pacer: RequestPacer

    /// - Parameters:
    ///   - options: what is asked, and how often.
    ///   - endpoint: where.
    ///   - key: what opens it; nil for none.
    ///   - patience: what ends a wait early, and names the file that keeps the prompts.
    init(
        options: PromptGeneratorOptions, endpoint: PromptEndpoint, key: EndpointKey?,
        patience: Patience
    ) {
        self.options = options
        self.endpoint = endpoint
        self.key = key
        self.patience = patience
        pacer = RequestPacer(requestsPerMinute: options.requestsPerMinute)
    }

    /// The prompt for `text`, which was read at `place`.
    ///
    /// - Throws: `SystemError` once another attempt would not help, or none is left.
    mutating func prompt(for text: String, place: String) throws -> String {
        let body = body(for: text)
        var attempt = 0
        while true {
            try pacer.waitForTurn(patience)
            attempt += 1
            switch try outcome(of: body) {
            case .prompt(let prompt): return prompt
            case .final(let what, let cure): throw failure(place, what, cure)
            case .temporary(let what, let wanted):
                let isLast = attempt > options.retries
                let tries = attempt == 1 ? "" : " (attempt \(attempt))"
                if let wanted, wanted > Self.longestPause, !isLast {
                    let pause = "\(Int(wanted)) s"
                    throw failure(place, what, "it wants a pause of \(pause): try again later")
                }
                if isLast { throw failure(place, what + tries, "look after the server") }
                let pause = wanted ?? backoff(after: attempt)
                patience.notice(
                    "\(place): \(endpoint.shown) \(what); attempt \(attempt + 1) of \(options.retries + 1) in "
                        + String(format: "%.2g s", pause))
                try patience.wait(until: .now + .seconds(pause))
            }
        }
    }

    /// The request's body.
    private func body(for text: String) -> String {
        let content = PromptGenerator.instruction + "\n\n" + text
        return CanonicalJSON.text(of: [
            "model": .string(options.model),
            "messages": [["role": "user", "content": .string(content)]],
            "temperature": .number(options.temperature),
            "max_tokens": .integer(options.maximumTokens),
            "seed": .integer(options.seed),
        ])
    }

    private func outcome(of body: String) throws -> PromptOutcome {
        do {
            let reply = try HTTPPost.send(
                body, to: endpoint.url, authorization: key?.authorization,
                timeout: options.timeout, patience: patience)
            return PromptOutcome(reply, key: key)
        } catch let failure as HTTPFailure {
            return PromptOutcome(failure, timeout: options.timeout, key: key)
        }
    }

    /// Seconds until the next attempt when the server names none.
    private func backoff(after attempt: Int) -> Double {
        min(Self.longestBackoff, options.firstWait * exp2(Double(attempt - 1)))
    }

    private func failure(_ place: String, _ what: String, _ cure: String) -> SystemError {
        SystemError(
            "no contextual prompt for \(place): \(endpoint.shown) \(what); \(cure) (\(patience.whatIsKept))"
        )
    }
}
