import COpenBLAS
import Foundation
import Platform

/// What OpenBLAS runs with: its kernel, and how a process gets the right one.
public enum BLAS {
    /// The kernel family OpenBLAS chose at start, such as `Zen`, `Haswell`, `SkylakeX` or `Cooperlake`.
    public static var kernelName: String { String(cString: openblas_get_corename()) }

    /// OpenBLAS's own description of its build: version and options.
    public static var version: String {
        let words = String(cString: openblas_get_config()).split(separator: " ")
        return words.prefix(2).joined(separator: " ")
    }

    /// Makes every product run on the calling thread alone: the engine's workers are the parallelism.
    public static func useOneThread() { openblas_set_num_threads(1) }

    /// Vector width in bits that a kernel family uses.
    static func vectorBits(ofKernel name: String) -> Int {
        switch name.lowercased() {
        case "skylakex", "cooperlake", "sapphirerapids": 512
        case "haswell", "zen", "excavator": 256
        // AVX without FMA.
        case "sandybridge", "bulldozer", "piledriver", "steamroller": 192
        default: 128
        }
    }
}

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
    cblas_sgemm(
        CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans,
        transposeB ? CblasTrans : CblasNoTrans, Int32(rows), Int32(columns), Int32(inner), alpha,
        a.pointer, Int32(transposeA ? rows : inner), b.pointer,
        Int32(transposeB ? inner : columns), beta, output.pointer, Int32(columns))
}
