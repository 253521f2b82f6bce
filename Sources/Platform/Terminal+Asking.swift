import Foundation

extension Terminal {
    /// Whether a person can be asked: standard input and standard error are terminals.
    public static var canAsk: Bool { isatty(STDIN_FILENO) == 1 && isTerminal(.error) }

    /// Asks a question that `y` or `yes` answers with yes; anything else, and the end of input, is no.
    ///
    /// - Parameter question: one line, written to standard error with ` [y/N] ` behind it.
    public static func confirm(_ question: String) -> Bool {
        write(question + " [y/N] ", to: .error)
        let answer = readLine()?.trimmingCharacters(in: .whitespaces).lowercased()
        return answer == "y" || answer == "yes"
    }
}
