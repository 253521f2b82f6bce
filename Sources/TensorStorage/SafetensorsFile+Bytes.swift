extension SafetensorsFile {
    /// The first bytes of a tensor as they lie in the file, and the last ones: at most `count` of each.
    ///
    /// - Throws: ``TensorStorageError`` when the tensor is missing.
    public func ends(of name: String, count: Int) throws(TensorStorageError) -> [UInt8] {
        let info = try tensor(named: name)
        return withBytes(of: info) { bytes in
            if bytes.count <= 2 * count { return Array(bytes) }
            return Array(bytes.prefix(count)) + Array(bytes.suffix(count))
        }
    }
}
