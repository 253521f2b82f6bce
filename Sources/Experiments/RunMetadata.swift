import Foundation

/// How far a run has come.
public enum RunStatus: String, Codable, CaseIterable, Sendable {
    /// Asked for, not begun.
    case queued
    /// Begun; when nobody holds its lock the process died and the run can be resumed.
    case running
    /// Done.
    case finished
    /// Ended by what would end it again: its numbers. The metadata hold the error.
    case failed
    /// Stopped by a signal after a checkpoint, or by an error of the machine; can be resumed.
    case interrupted
}

/// A run's `metadata.json`: everything about it that does not decide its numbers.
public struct RunMetadata: Hashable, Codable, Sendable {
    /// The newest version of this file's form: the one that is written.
    public static let currentFormatVersion = 2

    /// One process that worked on the run.
    public struct Session: Hashable, Codable, Sendable {
        /// When it began.
        public var began: Date
        /// The step it began at.
        public var step: Int
        /// OpenBLAS's kernel: two kernels in one run mean that its bits are those of neither.
        public var blasKernel: String
        /// Workers of a training step; they do not change the bits.
        public var workers: Int
        /// Machine, commit and command line.
        public var provenance: Provenance

        /// Makes a session.
        public init(
            began: Date, step: Int, blasKernel: String, workers: Int, provenance: Provenance
        ) {
            self.began = began
            self.step = step
            self.blasKernel = blasKernel
            self.workers = workers
            self.provenance = provenance
        }

        enum CodingKeys: String, CodingKey {
            case began, step
            case blasKernel = "blas_kernel"
            case workers, provenance
        }
    }

    /// The version of the form it was written in.
    public var formatVersion = RunMetadata.currentFormatVersion
    /// The hash of what decides the weights, all 64 digits; the folder's name has the first eight.
    public var hash: String
    /// The sweep it belongs to; nil for a base.
    public var sweep: String?
    /// The folder under `bases` of the base it starts from; nil for a base.
    public var base: String?
    /// How far the run has come.
    public var status: RunStatus
    /// When the run's folder was made.
    public var created: Date
    /// When training first began; nil before.
    public var started: Date?
    /// When the run last ended: finished, failed or interrupted.
    public var finished: Date?
    /// The last step that was taken; nil before the first.
    public var step: Int?
    /// This program's version.
    public var sandboxVersion: String
    /// The BLAS kernel in use, such as `Cooperlake`: training does not use it.
    public var blasKernel: String?
    /// Versions of the libraries in use, by name.
    public var libraries: [String: String]
    /// Machine, commit and command line of the last process that worked on the run.
    public var provenance: Provenance
    /// Every process that trained or measured it, oldest first.
    public var sessions: [Session] = []
    /// What stopped a run that failed, or that was interrupted by an error such as a full disk.
    public var error: String?

    enum CodingKeys: String, CodingKey {
        case formatVersion = "format_version"
        case hash, sweep, base, status, created, started, finished, step
        case sandboxVersion = "sandbox_version"
        case blasKernel = "blas_kernel"
        case libraries, provenance, sessions, error
    }

    /// Metadata of a run that has just been asked for.
    public init(
        hash: String, sweep: String? = nil, base: String? = nil, status: RunStatus = .queued,
        sandboxVersion: String, blasKernel: String? = nil, libraries: [String: String] = [:],
        provenance: Provenance
    ) {
        self.hash = hash
        self.sweep = sweep
        self.base = base
        self.status = status
        created = provenance.date
        self.sandboxVersion = sandboxVersion
        self.blasKernel = blasKernel
        self.libraries = libraries
        self.provenance = provenance
    }

    /// Sets the status, the time that goes with it and what stopped the run.
    public mutating func become(_ status: RunStatus, at date: Date, error: String? = nil) {
        self.status = status
        self.error = error
        switch status {
        case .queued: break
        case .running:
            if started == nil { started = date }
            finished = nil
        case .finished, .failed, .interrupted: finished = date
        }
    }
}
