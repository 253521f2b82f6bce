import Experiments
import Foundation
import Kernels
import Platform
import Training

/// Training was stopped by a signal; a checkpoint is written and the same command continues.
public struct InterruptedError: Error, CustomStringConvertible {
    /// The run that was being trained.
    public let run: String
    /// One sentence with the run.
    public var description: String {
        "interrupted while training \(run); its checkpoint is written, the same command continues from there"
    }
}

/// Leads one run's folder through its states: lock, configuration, metadata, work, result.
struct RunKeeper {
    let directory: RunDirectory
    /// What `config.yaml` says.
    let configuration: () throws -> ConfigurationNode
    /// Version of the program, for the metadata.
    let programVersion: String

    /// Whether the run is done.
    func isFinished() throws -> Bool { try directory.metadata()?.status == .finished }

    /// Does the work unless it is done already; the status follows what happens.
    ///
    /// - Parameter work: trains; returns how it ended.
    func perform(_ work: () throws -> TrainingOutcome) throws {
        if try isFinished() { return }
        let lock = try directory.lock()
        defer { lock.release() }
        if try isFinished() { return }
        var metadata = try freshMetadata()
        metadata.become(.running, at: Date())
        try AtomicFile.write(configuration().yaml(), to: directory.configurationPath)
        try directory.write(metadata)
        do {
            let outcome = try work()
            metadata.step = try directory.latestCheckpointStep()
            metadata.become(outcome == .finished ? .finished : .interrupted, at: Date())
            try directory.write(metadata)
            if outcome == .interrupted { throw InterruptedError(run: directory.path) }
        } catch let error as InterruptedError {
            throw error
        } catch {
            metadata.become(.failed, at: Date(), error: "\(error)")
            try? directory.write(metadata)
            throw error
        }
    }

    /// Metadata of this process; the times of an earlier one are kept.
    private func freshMetadata() throws -> RunMetadata {
        var metadata = RunMetadata(
            sandboxVersion: programVersion, blasKernel: BLAS.kernelName,
            libraries: ["openblas": BLAS.version], provenance: Provenance.current())
        if let earlier = try directory.metadata() {
            metadata.created = earlier.created
            metadata.started = earlier.started
        }
        return metadata
    }
}
