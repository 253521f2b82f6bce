import Experiments
import Platform

/// What a long run tells its caller while it works; plain closures, so that a test can listen.
public struct RunReporter {
    /// A phase begins or continues: its label and its number of steps.
    public var began: (_ label: String, _ steps: Int) -> Void
    /// A step is done: steps so far and the loss.
    public var stepped: (_ step: Int, _ loss: Double) -> Void
    /// The phase ended.
    public var ended: () -> Void
    /// One line for the reader.
    public var noticed: (String) -> Void
    /// One line that a reader who wants no notes needs too.
    public var warned: (String) -> Void

    /// - Parameters:
    ///   - began: a phase begins or continues.
    ///   - stepped: a step is done.
    ///   - ended: the phase ended.
    ///   - noticed: one line for the reader.
    ///   - warned: one line that a reader who wants no notes needs too.
    public init(
        began: @escaping (_ label: String, _ steps: Int) -> Void = { _, _ in },
        stepped: @escaping (_ step: Int, _ loss: Double) -> Void = { _, _ in },
        ended: @escaping () -> Void = {}, noticed: @escaping (String) -> Void = { _ in },
        warned: @escaping (String) -> Void = { _ in }
    ) {
        self.began = began
        self.stepped = stepped
        self.ended = ended
        self.noticed = noticed
        self.warned = warned
    }
}

extension RunReporter {
    /// Tells once which process holds what is waited for.
    public func tellWaiting(for folders: [String]) {
        let holder = FileLock.holder(of: RunDirectory(path: folders[0]).lockPath)
        let who = holder.map { "process \($0)" } ?? "another process"
        let more = folders.count > 1 ? " and \(folders.count - 1) more" : ""
        noticed("waiting for \(folders[0])\(more), held by \(who)")
    }
}
