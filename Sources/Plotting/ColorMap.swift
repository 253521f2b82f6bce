import Foundation

/// Colours for values, light for small and dark for large.
///
/// The map "viridis" of S. van der Walt and N. Smith (matplotlib, 2015), turned round: even steps
/// of perceived colour and of lightness, so that it is read alike with every common
/// colour-blindness and in gray print. Seventeen of its colours are kept; between them the
/// components are interpolated, which is within six of 255 of the whole map.
enum ColorMap {
    private static let stops: [SIMD3<Double>] = [
        [253, 231, 37], [213, 226, 26], [170, 220, 50], [129, 211, 77],
        [92, 200, 99], [61, 188, 116], [39, 173, 129], [31, 159, 136],
        [33, 144, 141], [38, 130, 142], [44, 114, 142], [51, 99, 141],
        [59, 82, 139], [66, 64, 134], [71, 45, 123], [72, 24, 106],
        [68, 1, 84],
    ]

    /// The colour at a share of the scale; beyond its ends that of the nearer end.
    static func ink(at fraction: Double) -> Ink {
        let place = max(0, min(1, fraction)) * Double(stops.count - 1)
        let index = min(Int(place), stops.count - 2)
        let share = place - Double(index)
        let color = stops[index] * (1 - share) + stops[index + 1] * share
        return Ink(
            red: Int32(color.x.rounded()), green: Int32(color.y.rounded()),
            blue: Int32(color.z.rounded()))
    }
}

extension Ink {
    /// Relative luminance, 0 for black and 1 for white.
    ///
    /// Source: Web Content Accessibility Guidelines 2.2, "relative luminance".
    var luminance: Double {
        func linear(_ component: Int32) -> Double {
            let share = Double(component) / 255
            return share <= 0.04045 ? share / 12.92 : pow((share + 0.055) / 1.055, 2.4)
        }
        return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }

    /// Black or white, whichever has the greater contrast (L₁ + 0.05) / (L₂ + 0.05) on this
    /// colour.
    var readableText: Ink {
        let onBlack = (luminance + 0.05) / 0.05
        let onWhite = 1.05 / (luminance + 0.05)
        return onBlack >= onWhite ? .black : .white
    }
}
