/// The arguments that the program was started with, as bytes.
public enum ProgramArguments {
    /// The number of the first argument that is no UTF-8, and what can be shown of it; nil when all are.
    public static var firstBroken: (number: Int, shown: String)? {
        (1..<max(1, Int(CommandLine.argc))).lazy.compactMap { number in
            guard let argument = CommandLine.unsafeArgv[number],
                String(validatingCString: argument) == nil
            else { return nil }
            return (number, String(cString: argument))
        }.first
    }
}
