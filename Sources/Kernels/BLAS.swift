import COpenBLAS

/// What OpenBLAS runs with.
public enum BLAS {
    /// Loads OpenBLAS, unless it is loaded, with the kernel that fits the CPU or that `SANDBOX_BLAS_KERNEL` names.
    ///
    /// A program calls it before its first product: without the library that product ends the process.
    ///
    /// - Throws: ``BLASError`` when the library is missing or damaged, or cannot run the kernel that was asked for.
    public static func load() throws { _ = try OpenBLASLibrary.loaded.get() }

    /// A line for the log when the environment asked OpenBLAS for another kernel than the CPU's best; otherwise nil.
    public static var startNote: String? { OpenBLASLibrary.required.note }

    /// The kernel family OpenBLAS chose at start, such as `Zen`, `Haswell`, `SkylakeX` or `Cooperlake`.
    public static var kernelName: String { OpenBLASLibrary.required.kernelName }

    /// OpenBLAS's own description of its build: name and version.
    public static var version: String { OpenBLASLibrary.required.version }

    /// Makes every product run on the calling thread alone: the engine's workers are the parallelism.
    public static func useOneThread() { OpenBLASLibrary.required.setThreadCount(1) }
}

/// OpenBLAS or a kernel of it that cannot run here.
public struct BLASError: Error, CustomStringConvertible {
    /// One sentence with the library or the variable, and the cure.
    public let description: String
}

/// `cblas_sgemm`; a constant of its own, so that a product costs one look whether it is set and one call.
private let sgemm = OpenBLASLibrary.required.matrixProduct

/// `C = alpha · op(A) · op(B) + beta · C` in fp32, row-major, on the calling thread.
///
/// - Parameters:
///   - output: `C: [rows, columns]`.
///   - a: `A: [rows, inner]`, or `[inner, rows]` when `transposeA`.
///   - b: `B: [inner, columns]`, or `[columns, inner]` when `transposeB`.
///   - rows: rows of `C`.
///   - columns: columns of `C`.
///   - inner: length of the sums.
///   - transposeA: whether `A` is read transposed.
///   - transposeB: whether `B` is read transposed.
///   - alpha: factor of the product.
///   - beta: factor of what `C` held; 0 overwrites, 1 accumulates.
public func matrixProduct(
    output: FloatView, a: FloatView, b: FloatView, rows: Int, columns: Int, inner: Int,
    transposeA: Bool = false, transposeB: Bool = false, alpha: Float = 1, beta: Float = 0
) {
    precondition(output.count >= rows * columns, "output is smaller than \(rows) × \(columns)")
    precondition(a.count >= rows * inner, "a is smaller than \(rows) × \(inner)")
    precondition(b.count >= inner * columns, "b is smaller than \(inner) × \(columns)")
    sgemm(
        CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans,
        transposeB ? CblasTrans : CblasNoTrans, Int32(rows), Int32(columns), Int32(inner), alpha,
        a.pointer, Int32(transposeA ? rows : inner), b.pointer,
        Int32(transposeB ? inner : columns), beta, output.pointer, Int32(columns))
}
