import Foundation

/// Unicode's normalization form C, as Hugging Face's `tokenizers` has it.
///
/// Foundation's own (`precomposedStringWithCanonicalMapping`, Swift 6.3) composes Deseret letters to Cyrillic ones and leaves
/// Hangul syllables apart; its decomposition of single characters is right, and composition follows from it.
///
/// Source: Unicode Standard Annex 15, and the Unicode Standard, section 3.12 for Hangul.
enum CanonicalComposition {
    /// The library's tables are those of Unicode 9: younger characters neither move nor compose.
    private static let libraryVersion = 9

    /// `text`, valid UTF-8, in form C.
    static func apply(_ text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        // Where the text that is not in `result` starts, and the last character that was looked at.
        var done = 0
        var last = 0
        var position = 0
        while position < text.count {
            let scalar = ScalarAt(text, position)
            if isInert(scalar.value) {
                last = position
                position += scalar.length
                continue
            }
            // What follows may change the character before it, and nothing farther away.
            var end = position
            while end < text.count {
                let next = ScalarAt(text, end)
                if isInert(next.value) { break }
                end += next.length
            }
            result += text[done..<last]
            appendComposed(text, last, end, to: &result)
            done = end
            last = end
            position = end
        }
        if done == 0 { return text }
        return result + text[done...]
    }

    /// Whether a character is in form C where no mark follows, and changes nothing before it.
    ///
    /// Not all of them are named, but most that texts are made of.
    private static func isInert(_ value: Int) -> Bool {
        switch value {
        case 0..<0x300, 0x400...0x482, 0x2010...0x2027, 0x3001...0x3029, 0x3041...0x3096,
            0x30A1...0x30FA, 0x4E00...0x9FFF, 0xAC00...0xD7A3, 0xFF01...0xFF60:
            true
        default: false
        }
    }

    private static func appendComposed(
        _ text: [UInt8], _ start: Int, _ end: Int, to result: inout [UInt8]
    ) {
        var parts: [Part] = []
        var runStart = 0
        var position = start
        while position < end {
            let scalar = ScalarAt(text, position)
            position += scalar.length
            for value in decomposition(UInt32(scalar.value)) {
                let part = Part(value: value, combiningClass: combiningClass(value))
                if part.combiningClass == 0 {
                    order(&parts, from: runStart)
                    runStart = parts.count + 1
                }
                parts.append(part)
            }
        }
        order(&parts, from: runStart)
        for value in composed(parts) {
            if let scalar = Unicode.Scalar(value) {
                result.append(contentsOf: UTF8.encode(scalar) ?? .init())
            }
        }
    }

    /// A scalar that does not decompose.
    private struct Part {
        var value: UInt32
        var combiningClass: UInt8
    }

    /// Puts the marks from `start` on, behind one starter, into canonical order: by class, and as they came within one.
    private static func order(_ parts: inout [Part], from start: Int) {
        guard parts.count > start + 1 else { return }
        let marks = parts[start...].enumerated().sorted {
            ($0.element.combiningClass, $0.offset) < ($1.element.combiningClass, $1.offset)
        }
        parts.replaceSubrange(start..., with: marks.map(\.element))
    }

    private static func composed(_ parts: [Part]) -> [UInt32] {
        var result: [UInt32] = []
        var starter: Int?
        // Class of the last scalar since the starter; −1 when there is none.
        var last = -1
        for part in parts {
            let (scalar, combiningClass) = (part.value, part.combiningClass)
            if let starter, last < Int(combiningClass),
                let composite = composite(result[starter], scalar)
            {
                result[starter] = composite
                continue
            }
            if combiningClass == 0 {
                starter = result.count
                last = -1
            } else {
                last = Int(combiningClass)
            }
            result.append(scalar)
        }
        return result
    }

    // MARK: Characters

    /// Decompositions by scalar and composites by pair, without Hangul.
    private static let tables: (parts: [UInt32: [UInt32]], composites: [UInt64: UInt32]) = {
        // All characters of Unicode 9 that decompose lie here.
        let ranges: [ClosedRange<UInt32>] = [
            0xC0...0x1FFF, 0x2000...0x2001, 0x2126...0x2ADC, 0x304C...0x30FE, 0xF900...0xFB4E,
            0x1109A...0x115BB, 0x1D15E...0x1D1C0, 0x2F800...0x2FA1D,
        ]
        var parts: [UInt32: [UInt32]] = [:]
        for range in ranges {
            for value in range {
                guard let scalar = Unicode.Scalar(value), isKnown(scalar) else { continue }
                let text = String(scalar).decomposedStringWithCanonicalMapping
                let values = text.unicodeScalars.map(\.value)
                if values != [value] { parts[value] = values }
            }
        }
        var composites: [UInt64: UInt32] = [:]
        for (value, values) in parts.sorted(by: { $0.value.count < $1.value.count }) {
            guard let scalar = Unicode.Scalar(value), let last = values.last,
                !scalar.properties.isFullCompositionExclusion
            else { continue }
            // The shorter ones are there already, so everything before the last is one character.
            let first = values.dropLast().reduce(nil as UInt32?) { composite, part in
                composite.map { composites[pair($0, part)] ?? $0 } ?? part
            }
            if let first { composites[pair(first, last)] = value }
        }
        return (parts, composites)
    }()

    private static func pair(_ first: UInt32, _ second: UInt32) -> UInt64 {
        UInt64(first) << 32 | UInt64(second)
    }

    private static func isKnown(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.age.map { $0.major <= libraryVersion } ?? false
    }

    private static func combiningClass(_ value: UInt32) -> UInt8 {
        guard value >= 0x300, let scalar = Unicode.Scalar(value), isKnown(scalar) else { return 0 }
        return scalar.properties.canonicalCombiningClass.rawValue
    }

    private static func decomposition(_ value: UInt32) -> [UInt32] {
        guard value >= 0xC0 else { return [value] }
        guard (0xAC00...0xD7A3).contains(value) else { return tables.parts[value] ?? [value] }
        let index = value - 0xAC00
        let syllable = [0x1100 + index / 588, 0x1161 + index % 588 / 28]
        return index % 28 == 0 ? syllable : syllable + [0x11A7 + index % 28]
    }

    private static func composite(_ first: UInt32, _ second: UInt32) -> UInt32? {
        if (0x1100...0x1112).contains(first), (0x1161...0x1175).contains(second) {
            return 0xAC00 + (first - 0x1100) * 588 + (second - 0x1161) * 28
        }
        if (0xAC00...0xD7A3).contains(first), (first - 0xAC00) % 28 == 0,
            (0x11A8...0x11C2).contains(second)
        {
            return first + second - 0x11A7
        }
        return tables.composites[pair(first, second)]
    }
}
