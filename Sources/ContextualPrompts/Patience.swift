import Foundation
import Platform

/// Prompts were being asked for when a signal came.
public struct PromptsInterrupted: Error, CustomStringConvertible {
    /// What is kept.
    let kept: String

    /// One sentence with what is kept.
    public var description: String { "interrupted; \(kept)" }
}

/// Waiting that a signal ends.
struct Patience {
    /// The longest time in seconds for which a signal goes unseen.
    static let slice = 0.05

    /// The file that keeps the prompts that have come, for the message.
    let cachePath: String
    /// Whether a signal has come.
    let isInterrupted: () -> Bool
    /// Told what is waited for.
    var notice: (String) -> Void = { _ in }

    /// What a message says about prompts that have come.
    var whatIsKept: String {
        Folder.holdsFile(cachePath)
            ? "the prompts so far are in '\(cachePath)', and the same command asks for the rest"
            : "no prompt has come so far, and the same command asks again"
    }

    /// - Throws: ``PromptsInterrupted`` after a signal.
    func check() throws {
        if isInterrupted() { throw PromptsInterrupted(kept: whatIsKept) }
    }

    /// Waits until `deadline` or until `isDone` says so, which may itself wait for the seconds it is given.
    ///
    /// - Returns: whether `isDone` did.
    /// - Throws: ``PromptsInterrupted`` after a signal.
    @discardableResult
    func wait(
        until deadline: ContinuousClock.Instant,
        _ isDone: (_ seconds: Double) throws -> Bool = sleep
    ) throws -> Bool {
        while true {
            try check()
            let left = deadline - .now
            if left <= .zero { return false }
            if try isDone(min(Self.slice, left / .seconds(1))) { return true }
        }
    }

    private static func sleep(_ seconds: Double) -> Bool {
        Thread.sleep(forTimeInterval: seconds)
        return false
    }
}

/// Keeps requests apart, so that no minute holds more than are allowed.
struct RequestPacer {
    private let interval: Duration
    private var next = ContinuousClock.now

    /// - Parameter requestsPerMinute: nil is no limit.
    init(requestsPerMinute: Double?) {
        interval = requestsPerMinute.map { .seconds(60 / $0) } ?? .zero
    }

    /// Waits until a request may be made.
    mutating func waitForTurn(_ patience: Patience) throws {
        try patience.wait(until: next)
        next = .now + interval
    }
}
