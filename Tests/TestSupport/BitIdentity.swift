/// Where two arrays stop being the same bits, or nil: NaNs and signs of zero count.
///
/// `#expect(firstDifference(a, b) == nil)` keeps a failure's message to one line.
public func firstDifference(_ a: [Float], _ b: [Float]) -> String? {
    guard a.count == b.count else { return "\(a.count) elements and \(b.count)" }
    let different = a.indices.filter { a[$0].bitPattern != b[$0].bitPattern }
    guard let first = different.first else { return nil }
    return "\(different.count) of \(a.count) elements differ, the first at \(first): "
        + "\(a[first]) and \(b[first])"
}
