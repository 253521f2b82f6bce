import Experiments
import Foundation
import TestSupport
import Testing

@testable import Mechanism

/// Files of published curves.
struct PublishedCurvesTests {
    @Test func theCommittedFileHoldsThePublishedEndpoints() throws {
        let published = try PublishedCurves.read(
            Fixture.directory + "/../../plots/published/choi2025.json")
        #expect(published.dims == 20 && published.note?.contains("shifted positions") == true)
        // Multilinear under cft 20.8 / 15.3 / 11.1 at k = 0 / 5 / 10, polynomial under neg-cft 898.
        let multilinear = try #require(published.curve(.squaredError, of: "multilinear", "cft"))
        #expect(multilinear.x == (0..<41).map(Double.init))
        #expect(abs(multilinear.mean[0] - 20.8) < 0.05 && abs(multilinear.mean[5] - 15.3) < 0.05)
        #expect(abs(multilinear.mean[10] - 11.1) < 0.05)
        let polynomial = try #require(published.curve(.squaredError, of: "polynomial", "neg-cft"))
        #expect(abs(polynomial.mean[0] - 898) < 0.5)
        #expect(zip(polynomial.low, polynomial.high).allSatisfy { $0 < $1 })
        // The excess loss of the polynomial under cft falls from about 240 to 0.05–0.2 (steps within a factor of 1.2
        // averaged), its normaliser being 210 / 41.
        let loss = try #require(published.curve(.trainLoss, of: "polynomial", "cft"))
        #expect(abs(loss.mean[0] / (210.0 / 41) - 242.4) < 0.1)
        #expect(try #require(loss.mean.last) / (210.0 / 41) < 0.2)
        let alignment = try #require(published.curve(.gradientAlignment, of: "polynomial", "cft"))
        let after = zip(alignment.x, alignment.mean).filter { $0.0 >= 3500 }.map(\.1)
        #expect(after.allSatisfy { $0 > 0.95 } && alignment.low == alignment.mean)
        #expect(published.curve(.squaredError, of: "tanh", "cft") == nil)
    }

    @Test(arguments: [
        ("{", "it is not JSON"),
        ("{}", "'source' is missing"),
        (#"{"source": "", "model": "", "dims": 0, "curves": []}"#, "dims is 0"),
        (#"{"source": "", "model": "", "dims": "2", "curves": []}"#, "'dims'"),
        (curve(#""quantity": "speed", "x": [0], "mean": [1]"#), "'curves.0.quantity'"),
        (curve(#""quantity": "train_loss", "mean": [1]"#), "'x' is missing in 'curves.0'"),
        (curve(#""quantity": "train_loss", "x": [0, 1], "mean": [1]"#), "curves.0 needs one"),
        (curve(#""quantity": "train_loss", "x": [0], "mean": [1], "low": [0]"#), "curves.0 needs"),
    ])
    func whatIsWrongIsSaid(_ text: String, _ words: String) throws {
        let folder = try TemporaryDirectory()
        try folder.write(text, to: "curves.json")
        let path = folder.file("curves.json")
        let error = try #require(throws: ConfigurationError.self) {
            try PublishedCurves.read(path)
        }
        #expect(error.description.hasPrefix("\(path): no published curves: "))
        #expect(error.description.contains(words), "\(error)")
    }

    private static func curve(_ members: String) -> String {
        #"{"source": "", "model": "", "dims": 2, "curves": [{"function_class": "relu", "layout": "cft", "#
            + members + "}]}"
    }
}
