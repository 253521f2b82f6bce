/// The last counter word: what a random number is for.
///
/// Two streams never share a number, whatever seed, step and example they run under. The raw values
/// are frozen: fixtures and the bit-identity of resumed runs rest on them.
public enum RandomStream: UInt32, Sendable, CaseIterable {
    /// Initial parameters of a model.
    case initialization = 0
    /// Resampling of a bootstrap.
    case bootstrap = 1
    /// Draws that choose what to run, such as a random sweep's trials.
    case sweep = 2
    /// Draws of self-checks, such as the direction of a gradient check.
    case measurement = 3
    /// Tokens of a generated text.
    case generation = 4

    /// Inputs x of pretraining prompts.
    case pretrainingInputs = 16
    /// Task parameters of pretraining prompts.
    case pretrainingTask = 17
    /// Noise labels of pretraining prompts.
    case pretrainingNoise = 18
    /// Choices within a pretraining prompt: a context length, a permutation, a position offset.
    case pretrainingDraw = 19
    /// Noise that is added to the labels of pretraining prompts.
    case pretrainingLabelNoise = 20
    /// Inputs of pretraining prompts that stand in part A alone.
    case pretrainingFreshInputs = 21

    /// Inputs x of fine-tuning prompts.
    case trainingInputs = 32
    /// Task parameters of fine-tuning prompts.
    case trainingTask = 33
    /// Noise labels of fine-tuning prompts.
    case trainingNoise = 34
    /// Choices within a fine-tuning prompt: a context length, a permutation.
    case trainingDraw = 35
    /// Noise that is added to the labels of fine-tuning prompts.
    case trainingLabelNoise = 36
    /// Inputs of fine-tuning prompts that stand in part A alone.
    case trainingFreshInputs = 37

    /// Inputs x of evaluation prompts.
    case evaluationInputs = 48
    /// Task parameters of evaluation prompts.
    case evaluationTask = 49
    /// Noise labels of evaluation prompts.
    case evaluationNoise = 50
    /// Choices within an evaluation prompt: a context length, a permutation.
    case evaluationDraw = 51
    /// Noise that is added to the labels of evaluation prompts.
    case evaluationLabelNoise = 52
    /// Inputs of evaluation prompts that stand in part A alone.
    case evaluationFreshInputs = 53

    /// Order of a corpus's documents in an epoch.
    case corpusOrder = 64
    /// Which contextual prompt a document gets.
    case contextualPrompt = 65
    /// Which inputs of an adapter are left out.
    case adapterDropout = 66
    /// Which exercises a reading-comprehension text gets.
    case exerciseChoice = 67
}
