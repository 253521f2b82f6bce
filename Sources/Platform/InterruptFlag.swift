import Foundation
import Synchronization

/// The signal that asked this process to stop, 0 before one has.
///
/// A signal handler can reach nothing but a global, hence the globals of this file, the only ones of the project.
private let receivedSignal = Atomic<Int32>(0)

/// The process whose end raises the flag too, 0 for none.
private let parent = Atomic<Int32>(0)

/// Whether the first signal already ends the process.
private let endsAtOnce = Atomic<Bool>(false)

/// SIGINT, SIGTERM and SIGHUP (a terminal that closes) as a flag that a loop asks between steps.
public enum InterruptFlag {
    private static let signals = [SIGINT, SIGTERM, SIGHUP]

    /// The exit status of a process that was interrupted and can be resumed (`EX_TEMPFAIL`).
    public static let exitStatus: Int32 = 75

    /// Installs the handlers: the first signal raises the flag, a second one ends the process at once with
    /// ``exitStatus`` (what the last checkpoint holds can be resumed).
    public static func install() {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { signal in
            // Only an atomic exchange and _exit: both are safe inside a signal handler.
            let isSecond = receivedSignal.exchange(signal, ordering: .relaxed) != 0
            if isSecond || endsAtOnce.load(ordering: .relaxed) { _exit(75) }
        }
        sigemptyset(&action.sa_mask)
        action.sa_flags = Int32(SA_RESTART)
        for signal in signals { sigaction(signal, &action, nil) }
        // A parent that starts programs from a thread of its own hands on that thread's blocked signals.
        var wanted = sigset_t()
        sigemptyset(&wanted)
        for signal in signals { sigaddset(&wanted, signal) }
        pthread_sigmask(SIG_UNBLOCK, &wanted, nil)
    }

    /// Whether a signal has come since ``install()``, or the process of ``followParent()`` has ended.
    public static var isRaised: Bool {
        if receivedSignal.load(ordering: .relaxed) != 0 { return true }
        let followed = parent.load(ordering: .relaxed)
        return followed != 0 && getppid() != followed
    }

    /// Raises the flag when the process that started this one ends: nobody is left to stop it otherwise.
    ///
    /// - Parameter identifier: that process, which may have ended already.
    public static func followParent(_ identifier: Int32) {
        parent.store(identifier, ordering: .relaxed)
    }

    /// From here on the first signal ends the process: for work that has nothing to checkpoint.
    public static func exitAtOnce() { endsAtOnce.store(true, ordering: .relaxed) }
}
