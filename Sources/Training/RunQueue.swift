import Experiments
import Foundation
import Platform

/// A run that could not be finished.
public struct RunFailure: Sendable {
    /// The run's folder.
    public let run: String
    /// What stopped it, one sentence.
    public let sentence: String
    /// Whether it was the run's own numbers, which would stop it again.
    public let isFinal: Bool

    /// - Parameters:
    ///   - run: the run's folder.
    ///   - sentence: what stopped it.
    ///   - isFinal: whether it was the run's own numbers.
    public init(run: String, sentence: String, isFinal: Bool) {
        self.run = run
        self.sentence = sentence
        self.isFinal = isFinal
    }
}

/// Works on several runs in order, or hands them to other processes; what another process works on is waited for.
public struct RunQueue {
    /// Trains runs in other processes, several at a time, and returns when all of them have ended: those of the runs
    /// whose process ended before its work was done.
    ///
    /// - Parameters:
    ///   - configurations: their `config.yaml`s.
    ///   - policy: what to do about runs that are there.
    public typealias Elsewhere =
        (_ configurations: [String], _ policy: RunPolicy) throws -> Set<String>

    /// Who is told.
    public let reporter: RunReporter
    /// Trains several runs side by side; nil for one after the other in this process.
    public let elsewhere: Elsewhere?

    /// - Parameters:
    ///   - reporter: who is told.
    ///   - elsewhere: trains several runs side by side; nil for one after the other in this process.
    public init(reporter: RunReporter, elsewhere: Elsewhere? = nil) {
        self.reporter = reporter
        self.elsewhere = elsewhere
    }

    /// A failure, and the item that it befell.
    public struct Failure: Sendable {
        /// The item's place.
        public let index: Int
        /// What happened.
        public let failure: RunFailure
    }

    /// Completes every item; those that other processes hold come last.
    ///
    /// A run that fails does not keep the others from being run.
    ///
    /// - Parameters:
    ///   - items: runs, or what they start from.
    ///   - policy: what to do about runs that are there.
    ///   - prepare: makes an item's folder, so that another process can train it.
    ///   - path: an item's `config.yaml`.
    ///   - body: trains and measures an item; false when another process holds it.
    /// - Throws: ``InterruptedError`` after a signal.
    public func complete<Item>(
        _ items: [Item], policy: RunPolicy, prepare: (Item, RunPolicy) throws -> Void,
        path: (Item) -> String, _ body: (Item, RunPolicy) throws -> Bool
    ) throws -> [Failure] {
        var failures: [Failure] = []
        var handedOver = Set<Int>()
        if let elsewhere, items.count > 1 {
            // What is wrong with a folder is said below, when its turn comes.
            handedOver = Set(
                items.indices.filter { index in
                    let run = RunDirectory(path: Path.parent(of: path(items[index])))
                    let isDone = try? run.metadata()?.status == .finished
                    return (isDone == false || isDone == nil || policy.restarts)
                        && (try? prepare(items[index], policy)) != nil
                })
            let undone = try elsewhere(handedOver.sorted().map { path(items[$0]) }, policy)
            for index in handedOver where undone.contains(path(items[index])) {
                handedOver.remove(index)
                reporter.noticed(
                    "the process for \(Path.parent(of: path(items[index]))) ended too early; its work is done here"
                )
            }
        }
        var pending = Array(items.indices)
        var isWaiting = false
        while !pending.isEmpty {
            var held: [Int] = []
            for index in pending {
                if InterruptFlag.isRaised { throw InterruptedError() }
                do {
                    let policy = handedOver.contains(index) ? policy.afterwards : policy
                    if try !body(items[index], policy) { held.append(index) }
                } catch let error as InterruptedError {
                    throw error
                } catch {
                    let folder = Path.parent(of: path(items[index]))
                    reporter.noticed("failed: \(error)")
                    let failure = RunFailure(
                        run: folder, sentence: "\(error)", isFinal: error is DivergenceError)
                    failures.append(Failure(index: index, failure: failure))
                }
            }
            if held == pending {
                if !isWaiting {
                    reporter.tellWaiting(for: held.map { Path.parent(of: path(items[$0])) })
                }
                isWaiting = true
                usleep(200_000)
            }
            pending = held
        }
        return failures.sorted { $0.index < $1.index }
    }
}
