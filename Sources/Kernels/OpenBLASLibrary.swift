import COpenBLAS
import Foundation
import Platform

/// OpenBLAS, loaded at run time: the functions the engine calls.
///
/// Loaded rather than linked for two reasons. A missing library ends in a sentence with the cure, not in the dynamic
/// loader's. And OpenBLAS chooses its kernel from the environment while it is loaded, so that what a machine's
/// environment says amiss can be put right before (``KernelChoice``).
struct OpenBLASLibrary: Sendable {
    typealias MatrixProduct =
        @convention(c) @Sendable (
            CBLAS_ORDER, CBLAS_TRANSPOSE, CBLAS_TRANSPOSE, blasint, blasint, blasint, Float,
            UnsafePointer<Float>?, blasint, UnsafePointer<Float>?, blasint, Float,
            UnsafeMutablePointer<Float>?, blasint
        ) -> Void
    private typealias Description = @convention(c) () -> UnsafePointer<CChar>?

    /// `cblas_sgemm`.
    let matrixProduct: MatrixProduct
    /// `openblas_set_num_threads`.
    let setThreadCount: @convention(c) @Sendable (CInt) -> Void
    /// The kernel family in use.
    let kernelName: String
    /// Name and version.
    let version: String
    /// What had to be done about the environment, nil when nothing had to.
    let note: String?

    /// The library of this process, loaded at first use.
    static let loaded = Result { () throws(BLASError) in
        try OpenBLASLibrary(
            KernelChoice(environment: ProcessInfo.processInfo.environment, cpu: .current()))
    }

    /// The library of this process. Call ``BLAS/load()`` first: without the library the process ends here.
    static var required: OpenBLASLibrary {
        switch loaded {
        case .success(let library): library
        case .failure(let error): preconditionFailure(error.description)
        }
    }

    /// The name that a linked program would ask for: a damaged library is not silently passed over for another.
    private static let file = "libopenblas.so.0"

    /// Puts the environment right, loads the library and looks at what it chose.
    private init(_ choice: KernelChoice) throws(BLASError) {
        for name in choice.removed { unsetenv(name) }
        if let name = choice.coreType { setenv(KernelChoice.coreTypeVariable, name, 1) }
        // A child process makes its own choice.
        defer { if choice.coreType != nil { unsetenv(KernelChoice.coreTypeVariable) } }
        guard let handle = dlopen(Self.file, RTLD_NOW | RTLD_LOCAL) else {
            throw Self.failure(dlerror().map { String(cString: $0) } ?? Self.file)
        }
        func address(_ symbol: String) throws(BLASError) -> UnsafeMutableRawPointer {
            guard let address = dlsym(handle, symbol) else {
                throw Self.failure("\(Self.file) has no function \(symbol)")
            }
            return address
        }
        func text(_ symbol: String) throws(BLASError) -> String {
            let function = unsafeBitCast(try address(symbol), to: Description.self)
            return function().map { String(cString: $0) } ?? ""
        }
        matrixProduct = unsafeBitCast(try address("cblas_sgemm"), to: MatrixProduct.self)
        setThreadCount = unsafeBitCast(
            try address("openblas_set_num_threads"),
            to: (@convention(c) @Sendable (CInt) -> Void).self)
        kernelName = try text("openblas_get_corename")
        version = try text("openblas_get_config").split(separator: " ").prefix(2)
            .joined(separator: " ")
        note = try choice.note(runningKernel: kernelName)
    }

    private static func failure(_ reason: String) -> BLASError {
        BLASError(
            description:
                "cannot load OpenBLAS (\(reason)); install it: apt-get install libopenblas0")
    }
}

/// What is done about the environment before OpenBLAS is loaded, because it reads its settings while it is loaded.
///
/// `OPENBLAS_CORETYPE` and `OPENBLAS_L2_SIZE`, which clusters like to export, are removed when the kernel they ask for
/// is not of the CPU's width or the cache size is set by hand. `SANDBOX_BLAS_KERNEL` is the user's own choice and wins over both.
struct KernelChoice {
    static let coreTypeVariable = "OPENBLAS_CORETYPE"
    private static let cacheVariable = "OPENBLAS_L2_SIZE"

    /// Variables to remove.
    let removed: [String]
    /// The kernel to ask OpenBLAS for; nil leaves the question as it is.
    let coreType: String?
    private let choice: String?
    private let told: String

    /// Reads the environment of a process that is about to load OpenBLAS.
    ///
    /// - Throws: ``BLASError`` when the user's choice needs wider vectors than `cpu` has.
    init(environment: [String: String], cpu: CPU) throws(BLASError) {
        func value(_ name: String) -> String? {
            environment[name].flatMap { $0.isEmpty ? nil : $0 }
        }
        let forced = [Self.coreTypeVariable, Self.cacheVariable].filter { value($0) != nil }
        told = forced.map { "\($0)=\(value($0) ?? "")" }.joined(separator: " ")
        choice = value("SANDBOX_BLAS_KERNEL")
        // AVX without AVX2 lies between the widths that a CPU is described by.
        let widest = max(cpu.simdWidthBits, cpu.flags.contains("avx") ? 192 : 128)
        if let choice {
            guard Self.vectorBits(ofKernel: choice) <= widest else {
                throw BLASError(
                    description:
                        "SANDBOX_BLAS_KERNEL=\(choice) needs wider vectors than this CPU's "
                        + "\(cpu.simdWidthBits) bits; unset it or name a narrower kernel, such as Haswell"
                )
            }
            let isAsked = told == "\(Self.coreTypeVariable)=\(choice)"
            removed = isAsked ? [] : forced
            coreType = isAsked ? nil : choice
            return
        }
        let bits = value(Self.coreTypeVariable).map(Self.vectorBits(ofKernel:))
        let isUnfit = bits.map { $0 < cpu.simdWidthBits || $0 > widest } ?? false
        removed = isUnfit || value(Self.cacheVariable) != nil ? forced : []
        coreType = nil
    }

    /// The line for the log about what was done, nil when nothing was.
    ///
    /// - Throws: ``BLASError`` when OpenBLAS did not know the kernel that the user chose and runs another.
    func note(runningKernel: String) throws(BLASError) -> String? {
        guard let choice else {
            return removed.isEmpty
                ? nil
                : "OpenBLAS runs its \(runningKernel) kernel: \(told) did not fit this CPU and was left out"
        }
        guard runningKernel.lowercased() == choice.lowercased() else {
            throw BLASError(
                description:
                    "OpenBLAS does not know the kernel SANDBOX_BLAS_KERNEL=\(choice) and runs "
                    + "\(runningKernel); unset it or name one such as Haswell, Zen or SkylakeX")
        }
        return coreType.map { _ in
            "OpenBLAS runs its \(runningKernel) kernel (SANDBOX_BLAS_KERNEL=\(choice))"
        }
    }

    /// Vector width in bits that a kernel family uses.
    static func vectorBits(ofKernel name: String) -> Int {
        switch name.lowercased() {
        case "skylakex", "cooperlake", "sapphirerapids": 512
        case "haswell", "zen", "excavator": 256
        // AVX without AVX2.
        case "sandybridge", "bulldozer", "piledriver", "steamroller": 192
        default: 128
        }
    }
}
