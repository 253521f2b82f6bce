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

    /// Starts the process again, once, when the environment keeps OpenBLAS from its best kernel.
    ///
    /// OpenBLAS chooses its kernel while it is loaded, so only a new start helps. `OPENBLAS_CORETYPE` and
    /// `OPENBLAS_L2_SIZE`, which clusters like to export, are removed when the kernel is narrower than the CPU or the
    /// cache size is set by hand. `SANDBOX_BLAS_KERNEL` is the user's own choice and wins over both.
    ///
    /// - Parameter environment: the process's environment.
    /// - Returns: a line for the log about what happened, nil when nothing had to.
    /// - Throws: when the new start fails.
    public static func restartOnBestKernel(environment: [String: String]) throws -> String? {
        let choice = environment["SANDBOX_BLAS_KERNEL"].flatMap { $0.isEmpty ? nil : $0 }
        if let choice, environment[guardVariable] != nil,
            kernelName.lowercased() != choice.lowercased()
        {
            throw BLASError(
                description:
                    "OpenBLAS does not know the kernel SANDBOX_BLAS_KERNEL=\(choice) and runs "
                    + "\(kernelName); unset it or name one such as Haswell, Zen or SkylakeX")
        }
        if let before = environment[guardVariable] {
            return choice.map {
                "OpenBLAS runs its \(kernelName) kernel (SANDBOX_BLAS_KERNEL=\($0))"
            }
                ?? "OpenBLAS runs its \(kernelName) kernel: \(before) did not fit this CPU and was left out"
        }
        if let choice {
            if vectorBits(ofKernel: choice) > CPU.current().simdWidthBits {
                throw BLASError(
                    description:
                        "SANDBOX_BLAS_KERNEL=\(choice) needs wider vectors than this CPU's "
                        + "\(CPU.current().simdWidthBits) bits; unset it or name a narrower kernel, such as Haswell"
                )
            }
            if environment["OPENBLAS_CORETYPE"] == choice && environment["OPENBLAS_L2_SIZE"] == nil
            {
                return nil
            }
            try Executable.reexecute(
                removing: ["OPENBLAS_L2_SIZE"],
                setting: ["OPENBLAS_CORETYPE": choice, guardVariable: choice])
        }
        let forced = ["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"].filter { environment[$0] != nil }
        let isNarrow = vectorBits(ofKernel: kernelName) < CPU.current().simdWidthBits
        guard !forced.isEmpty, isNarrow || environment["OPENBLAS_L2_SIZE"] != nil else {
            return nil
        }
        let told = forced.map { "\($0)=\(environment[$0] ?? "")" }.joined(separator: " ")
        try Executable.reexecute(removing: forced, setting: [guardVariable: told])
    }

    private static let guardVariable = "SANDBOX_BLAS_RESTARTED"

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

/// A BLAS kernel that cannot run here.
public struct BLASError: Error, CustomStringConvertible {
    /// One sentence with the variable and the cure.
    public let description: String
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
