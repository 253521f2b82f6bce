import Foundation
import Synchronization

/// The signal that asked this process to stop, 0 before one has.
///
/// A signal handler can reach nothing but a global, hence the globals of this file, the only ones of the project.
private let receivedSignal = Atomic<Int32>(0)

/// The process whose end raises the flag too, 0 for none.
private let parent = Atomic<Int32>(0)

/// SIGINT and SIGTERM as a flag that a loop asks between steps.
public enum InterruptFlag {
    /// The exit status of a process that was interrupted and can be resumed (`EX_TEMPFAIL`).
    public static let exitStatus: Int32 = 75

    /// Installs the handlers: the first signal raises the flag, a second one ends the process at once with
    /// ``exitStatus`` (what the last checkpoint holds can be resumed).
    public static func install() {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { signal in
            // Only an atomic exchange and _exit: both are safe inside a signal handler.
            if receivedSignal.exchange(signal, ordering: .relaxed) != 0 { _exit(75) }
        }
        sigemptyset(&action.sa_mask)
        action.sa_flags = Int32(SA_RESTART)
        sigaction(SIGINT, &action, nil)
        sigaction(SIGTERM, &action, nil)
        // A parent that starts programs from a thread of its own hands on that thread's blocked signals.
        var wanted = sigset_t()
        sigemptyset(&wanted)
        sigaddset(&wanted, SIGINT)
        sigaddset(&wanted, SIGTERM)
        pthread_sigmask(SIG_UNBLOCK, &wanted, nil)
    }

    /// Whether a signal has come since ``install()``, or the process of ``followParent()`` has ended.
    public static var isRaised: Bool {
        if receivedSignal.load(ordering: .relaxed) != 0 { return true }
        let followed = parent.load(ordering: .relaxed)
        return followed != 0 && getppid() != followed
    }

    /// Raises the flag when the process that started this one ends: nobody is left to stop it otherwise.
    public static func followParent() { parent.store(getppid(), ordering: .relaxed) }

    /// The name of the signal that came, for messages; nil before one has.
    public static var signalName: String? {
        switch receivedSignal.load(ordering: .relaxed) {
        case 0: nil
        case SIGINT: "SIGINT"
        default: "SIGTERM"
        }
    }
}
