import Platform

/// How prompts are asked of a language model behind an OpenAI-compatible endpoint.
public struct PromptGeneratorOptions: Sendable, Hashable {
    /// Where the endpoint is: requests go to `<url>/chat/completions`, or to `url` itself when it ends so.
    public var url: String
    /// The model's name, as the server knows it.
    public var model: String
    /// The sampling temperature, 0 or more.
    public var temperature = 0.7
    /// The most tokens of an answer.
    public var maximumTokens = 200
    /// The seed that goes with every request; it does not choose among prompts that are in the cache.
    public var seed = 0
    /// Seconds until a request without an answer is given up.
    public var timeout = 60.0
    /// How often a request that failed is made again.
    public var retries = 4
    /// Seconds before the first retry; each further one waits twice as long, up to a minute.
    public var firstWait = 1.0
    /// The most requests in a minute, retries among them; nil is no limit.
    public var requestsPerMinute: Double?
    /// The environment variable that holds the key; nil asks without one.
    public var keyVariable: String?

    /// The standard options.
    public init(url: String, model: String) {
        self.url = url
        self.model = model
    }

    /// Refuses a value that no request can be made with.
    ///
    /// - Throws: `SystemError` naming the option, the value and what is accepted.
    func check() throws {
        try require(!model.isEmpty, "model", model, "the name of a model")
        try require(
            temperature >= 0 && temperature.isFinite, "temperature", temperature, "0 or more")
        try require(maximumTokens >= 1, "number of tokens", maximumTokens, "1 or more")
        try require(timeout > 0 && timeout <= 86400, "time-out", timeout, "seconds, 86400 at most")
        try require((0...100).contains(retries), "number of retries", retries, "0 to 100")
        try require((0...60).contains(firstWait), "first wait", firstWait, "seconds, 60 at most")
        if let limit = requestsPerMinute {
            try require(limit > 0 && limit.isFinite, "requests per minute", limit, "more than 0")
        }
    }

    private func require(
        _ isFine: Bool, _ name: String, _ value: some Any, _ accepted: String
    ) throws {
        if isFine { return }
        throw SystemError(
            "the prompt generator's \(name) is '\(value)'; expected \(accepted)")
    }
}
