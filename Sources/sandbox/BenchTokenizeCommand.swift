import ArgumentParser
import Experiments
import Foundation
import Platform
import Statistics
import Tokenizers

/// `sandbox bench tokenize`: how fast text becomes ids and ids become text, and how long a vocabulary takes to learn.
struct BenchTokenizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenize",
        abstract: "Time a tokenizer on a text: loading, encoding, decoding; or learning one.",
        discussion: """
            One thread. Every round encodes the whole text with a fresh encoder, which remembers no words, and decodes its \
            ids. Rates are in MB of UTF-8 a second (10⁶ bytes).

            Examples:
              sandbox bench tokenize corpus.txt --tokenizer tokenizer.json
              sandbox bench tokenize corpus.txt --learn 8000 --rounds 3 --json

            Exit status: 0 measured, 1 a file that cannot be read or is no UTF-8, 64 a usage error.
            """)

    @Argument(help: "A text file in UTF-8, or - for standard input.")
    var file: String

    @Option(
        help: ArgumentHelp(
            "A tokenizer.json, a tokenizer.model, or a folder that holds one of them.",
            valueName: "path"))
    var tokenizer: String?

    @Option(
        help: ArgumentHelp(
            "Time learning a vocabulary of so many pieces instead.", valueName: "pieces"))
    var learn: Int?

    @Option(help: "Timed rounds.")
    var rounds = 10

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        if (tokenizer == nil) == (learn == nil) {
            throw ValidationError("name a --tokenizer, or --learn so many pieces")
        }
        try checkRanges([("rounds", rounds, 1...10_000)])
    }

    func run() throws {
        try reportingErrors {
            let text = try TextFile.read(file, maximumBytes: TextFile.maximumBytes)
            var report = TokenizeReport(bytes: text.utf8.count, rounds: rounds)
            if let tokenizer { try time(tokenizer, on: text, &report) }
            if let learn { try time(learning: learn, from: text, &report) }
            try Terminal.print(json ? CanonicalJSON.text(of: report.json) + "\n" : report.text)
        }
    }

    private func time(_ path: String, on text: String, _ report: inout TokenizeReport) throws {
        report.subject = path
        let tokenizer = try Tokenizer(path: path)
        try report.time("load") { _ = try Tokenizer(path: path) }
        var ids: [Int] = []
        report.time("encode") {
            var encoder = tokenizer.makeEncoder()
            ids = encoder.encode(text, adding: .none)
        }
        report.tokens = ids.count
        report.time("decode") { _ = tokenizer.decode(ids) }
    }

    private func time(
        learning size: Int, from text: String, _ report: inout TokenizeReport
    ) throws {
        report.subject = "learning \(size) pieces"
        var pieces = 0
        try report.time("learn") {
            var trainer = try BytePairTrainer(vocabularySize: size)
            trainer.add(text)
            pieces = try trainer.train().count
        }
        report.tokens = pieces
    }
}

/// The figures of `bench tokenize`.
struct TokenizeReport {
    let bytes: Int
    let rounds: Int
    /// The tokenizer's path, or what is learned.
    var subject = ""
    /// Tokens of the text, or pieces that were learned.
    var tokens = 0
    /// Seconds of each round, ascending.
    private var durations: [(name: String, seconds: [Double])] = []

    init(bytes: Int, rounds: Int) {
        self.bytes = bytes
        self.rounds = rounds
    }

    /// Times every round of `body`.
    mutating func time(_ name: String, _ body: () throws -> Void) rethrows {
        var seconds: [Double] = []
        for _ in 0..<rounds {
            let start = ContinuousClock.now
            try body()
            seconds.append(start.duration(to: .now) / .seconds(1))
        }
        durations.append((name, seconds.sorted()))
    }

    /// MB/s; loading reads no text.
    private func rate(_ seconds: Double) -> Double { Double(bytes) / seconds / 1e6 }

    var json: JSONValue {
        func rounded(_ value: Double) -> JSONValue { .number((value * 1000).rounded() / 1000) }
        var report: [String: JSONValue] = [
            "subject": .string(subject), "bytes": .integer(bytes), "tokens": .integer(tokens),
            "rounds": .integer(rounds),
        ]
        for (name, seconds) in durations {
            for (mark, q) in [("median", 0.5), ("p10", 0.1), ("p90", 0.9)] {
                let time = quantile(sorted: seconds, q)
                report["\(name)_\(mark)_ms"] = rounded(time * 1e3)
            }
            if name != "load" {
                report["\(name)_mb_per_second"] = rounded(rate(quantile(sorted: seconds, 0.5)))
            }
        }
        return .object(report)
    }

    var text: String {
        let head = String(
            format: "%@: %.1f MB, %d tokens, %d rounds\n", subject, Double(bytes) / 1e6, tokens,
            rounds)
        return head
            + durations.map { name, seconds in
                let times = [0.5, 0.1, 0.9].map { quantile(sorted: seconds, $0) }
                let line = String(
                    format: "%@ %.1f ms (p10 %.1f, p90 %.1f)", name, times[0] * 1e3,
                    times[1] * 1e3, times[2] * 1e3)
                // The fast end of the times is the high end of the rates.
                let rates = String(
                    format: ", %.1f MB/s (p10 %.1f, p90 %.1f)", rate(times[0]), rate(times[2]),
                    rate(times[1]))
                return line + (name == "load" ? "" : rates) + "\n"
            }.joined()
    }
}
