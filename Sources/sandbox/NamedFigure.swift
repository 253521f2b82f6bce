import Foundation
import Plotting

/// A picture with the name of its file and what a reader has to know about it.
struct NamedFigure {
    /// File name without extension.
    let name: String
    /// What it shows, in a few words: its heading in a report.
    let heading: String
    /// What is drawn.
    let picture: Picture
    /// How to read it, in plain words.
    let caption: String
    /// The runs and bases the data come from, as paths below the folder of the runs.
    let runs: [String]
}

/// What a picture consists of.
enum Picture {
    /// Axes with curves.
    case curves(Figure)
    /// A matrix of coloured cells.
    case matrix(HeatMap)

    var title: String {
        switch self {
        case .curves(let figure): figure.title
        case .matrix(let map): map.title
        }
    }

    var subtitle: String? {
        switch self {
        case .curves(let figure): figure.subtitle
        case .matrix(let map): map.subtitle
        }
    }

    /// Draws it into a file: whole or not at all.
    func write(to path: String, format: FigureFormat) throws {
        switch self {
        case .curves(let figure): try figure.write(to: path, format: format)
        case .matrix(let map): try map.write(to: path, format: format)
        }
    }

    /// The bytes of a PNG file.
    func png() throws -> Data {
        switch self {
        case .curves(let figure): try figure.rendered(as: .png).data
        case .matrix(let map): try map.rendered(as: .png).data
        }
    }
}
