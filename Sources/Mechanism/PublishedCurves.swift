import Experiments
import Foundation
import Platform

/// Curves of another publication, to be drawn beside a sweep's own: `plots/published/choi2025.json` has those of the paper.
///
/// The file is JSON with `source`, `model`, `dims`, optionally `note`, and `curves`: a list of objects with
/// `function_class`, `layout`, `quantity` (see ``Quantity``), `x` (k, or steps), `mean`, and optionally `low` and `high`, one
/// number for each x.
public struct PublishedCurves: Codable, Sendable {
    /// What a curve shows.
    public enum Quantity: String, Codable, Sendable {
        /// Squared error against k, in label units².
        case squaredError = "squared_error"
        /// Training loss against steps, in label units².
        case trainLoss = "train_loss"
        /// Cosine between the gradient of the prediction and a true one, against steps.
        case gradientAlignment = "gradient_alignment"
    }

    /// One curve.
    public struct Curve: Codable, Sendable {
        /// The class, by its name here.
        public let functionClass: String
        /// The layout that was trained and evaluated under.
        public let layout: String
        /// What it shows.
        public let quantity: Quantity
        /// Context lengths or steps, ascending.
        public let x: [Double]
        /// One value for each x.
        public let mean: [Double]
        /// Lower edge of a band.
        public let low: [Double]?
        /// Upper edge of a band.
        public let high: [Double]?

        enum CodingKeys: String, CodingKey {
            case functionClass = "function_class"
            case layout, quantity, x, mean, low, high
        }

        /// Whether every list has one number for each x, and a band both its edges.
        var isWhole: Bool {
            !x.isEmpty && mean.count == x.count && (low == nil) == (high == nil)
                && (low?.count ?? x.count) == x.count && (high?.count ?? x.count) == x.count
        }
    }

    /// Who published them, and where.
    public let source: String
    /// What was trained, in a few words.
    public let model: String
    /// d.
    public let dims: Int
    /// What else a reader has to know about them, in whole sentences; nil when nothing.
    public let note: String?
    /// The curves.
    public let curves: [Curve]

    /// Reads a file.
    ///
    /// - Parameter path: the file.
    /// - Throws: ``ConfigurationError`` with one sentence when it is missing or not of the form above.
    public static func read(_ path: String) throws -> PublishedCurves {
        func refused(_ why: String) -> ConfigurationError {
            ConfigurationError(SourceMark(source: path), "no published curves: \(why)")
        }
        let data = try WholeFile.read(path)
        let found: PublishedCurves
        do {
            found = try JSONDecoder().decode(PublishedCurves.self, from: data)
        } catch let error as DecodingError {
            throw refused(words(error))
        }
        if found.dims < 1 { throw refused("dims is \(found.dims) and must be 1 or more") }
        if let place = found.curves.firstIndex(where: { !$0.isWhole }) {
            throw refused(
                "curves.\(place) needs one number of mean, and of low and high or neither, for each x"
            )
        }
        return found
    }

    /// The curve of a class and layout, its band as wide as the mean where none was published; nil where there is no curve.
    public func curve(
        _ quantity: Quantity, of functionClass: String, _ layout: String
    ) -> Mechanism.Curve? {
        let found = curves.first {
            $0.quantity == quantity && $0.functionClass == functionClass && $0.layout == layout
        }
        return found.map {
            Mechanism.Curve(
                x: $0.x, mean: $0.mean, low: $0.low ?? $0.mean, high: $0.high ?? $0.mean)
        }
    }

    private static func words(_ error: DecodingError) -> String {
        func path(_ context: DecodingError.Context) -> String {
            context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }
                .joined(separator: ".")
        }
        switch error {
        case .keyNotFound(let key, let context):
            let place = context.codingPath.isEmpty ? "" : " in '\(path(context))'"
            return "'\(key.stringValue)' is missing\(place)"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            return "'\(path(context))' has a value of another kind"
        case .dataCorrupted(let context) where !context.codingPath.isEmpty:
            return "'\(path(context))' has a value that is not known"
        default: return "it is not JSON"
        }
    }
}
