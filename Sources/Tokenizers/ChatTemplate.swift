/// Who wrote a message.
public enum ChatRole: String, CaseIterable, Sendable {
    /// Instructions before the conversation.
    case system
    /// The person.
    case user
    /// The model.
    case assistant

    /// The role that files call `name`; an error names an unknown one.
    public init(named name: String) throws {
        guard let role = Self(rawValue: name) else {
            let accepted = Self.allCases.map(\.rawValue).joined(separator: ", ")
            throw TokenizerError("the role \(quoted(name)) is unknown (accepted: \(accepted)).")
        }
        self = role
    }
}

/// One message of a conversation.
public struct ChatMessage: Hashable, Sendable {
    /// Who wrote it.
    public var role: ChatRole
    /// What it says.
    public var content: String

    /// Makes a message.
    public init(role: ChatRole, content: String) {
        self.role = role
        self.content = content
    }
}

/// A stretch of a rendered conversation.
public struct ChatSegment: Hashable, Sendable {
    /// What it consists of: markers that are special tokens, and text that is literal, markers such as `[INST]` and what
    /// messages say.
    public var parts: [EncodingPart]
    /// Whether the assistant writes it when the conversation runs: only such text carries loss.
    ///
    /// The end of its turn belongs to it, so that training teaches to stop.
    public var isAssistant: Bool

    /// Makes a segment.
    public init(parts: [EncodingPart], isAssistant: Bool) {
        self.parts = parts
        self.isAssistant = isAssistant
    }

    /// The segment as text, special tokens spelled out.
    public var text: String { parts.map(\.text).joined() }
}

/// How a conversation becomes text.
public enum ChatTemplate: String, CaseIterable, Sendable {
    /// `<s>[INST] <<SYS>>\n{system}\n<</SYS>>\n\n{user} [/INST] {answer} </s>`, turn after turn.
    ///
    /// Whitespace around a user's text (with the system's in front) and around an answer is cut off. Source: Touvron et
    /// al., "Llama 2: Open Foundation and Fine-Tuned Chat Models" (2023), and its published code.
    case llama2 = "llama-2"
    /// `<|im_start|>{role}\n{content}<|im_end|>\n`, message after message.
    case chatML = "chatml"

    /// The template called `name`; an error names an unknown one.
    public init(named name: String) throws {
        guard let template = Self(rawValue: name) else {
            throw TokenizerError(
                "the chat template \(quoted(name)) is unknown (accepted: \(Self.accepted)).")
        }
        self = template
    }

    /// The template that the `chat_template` of the tokenizer_config.json at `path` is.
    ///
    /// Names of variables, quotes and line breaks may differ from the published forms, what is rendered may not.
    ///
    /// - Throws: ``TokenizerError`` when there is none, and one that shows how it begins when it is another.
    public init(configuration path: String) throws {
        guard let template = try Self.find(configuration: path) else {
            throw TokenizerError(
                source: path, "it has no chat_template; name one (accepted: \(Self.accepted)).")
        }
        self = template
    }

    /// As ``init(configuration:)``; nil when there is none.
    public static func find(configuration path: String) throws -> ChatTemplate? {
        let node = try TokenizerConfiguration.node(path)
        guard let source = try TokenizerConfiguration.chatTemplate(node, source: path) else {
            return nil
        }
        guard let template = Self(recognizing: source) else {
            throw TokenizerError(
                source: path,
                "its chat_template, \(quoted(source)), is none of those built in (\(Self.accepted))."
            )
        }
        if template == .llama2 { try TokenizerConfiguration.checkEnds(node, source: path) }
        return template
    }

    /// The template that renders as the Jinja source does; nil when it is none of those built in.
    public init?(recognizing jinja: String) {
        guard let form = JinjaForm(jinja) else { return nil }
        guard let found = Self.allCases.first(where: { JinjaForm($0.jinja) == form }) else {
            return nil
        }
        self = found
    }

    private static var accepted: String { allCases.map(\.rawValue).joined(separator: ", ") }

    /// The conversation as text.
    ///
    /// - Parameter addingPrompt: whether the beginning of the assistant's answer is put behind, for it to go on from.
    /// - Throws: ``TokenizerError`` when the template has no place for a message.
    public func segments(
        _ messages: [ChatMessage], addingPrompt: Bool = false
    ) throws -> [ChatSegment] {
        switch self {
        case .llama2: try Self.llama2Segments(messages)
        case .chatML: Self.chatMLSegments(messages, addingPrompt: addingPrompt)
        }
    }

    private static func llama2Segments(_ messages: [ChatMessage]) throws -> [ChatSegment] {
        var segments: [ChatSegment] = []
        var rest = messages[...]
        var system: String?
        if rest.first?.role == .system { system = rest.removeFirst().content }
        for (index, message) in rest.enumerated() {
            let expected = index % 2 == 0 ? ChatRole.user : .assistant
            guard message.role == expected else {
                throw TokenizerError(
                    "message \(messages.count - rest.count + index + 1) is the \(message.role.rawValue)'s; "
                        + "in the template llama-2 user and assistant take turns, after at most one system message."
                )
            }
            if message.role == .user {
                var content = message.content
                if let system, index == 0 {
                    content = "<<SYS>>\n\(system)\n<</SYS>>\n\n\(content)"
                }
                let turn = "[INST] \(stripped(content)) [/INST]"
                segments.append(
                    ChatSegment(parts: [.special("<s>"), .literal(turn)], isAssistant: false))
            } else {
                let turn = " \(stripped(message.content)) "
                segments.append(
                    ChatSegment(parts: [.literal(turn), .special("</s>")], isAssistant: true))
            }
        }
        guard !segments.isEmpty else {
            throw TokenizerError("the template llama-2 needs a message of the user's.")
        }
        return segments
    }

    private static func chatMLSegments(
        _ messages: [ChatMessage], addingPrompt: Bool
    ) -> [ChatSegment] {
        var segments: [ChatSegment] = []
        var pending: [EncodingPart] = []
        for message in messages {
            pending += [.special("<|im_start|>"), .literal("\(message.role.rawValue)\n")]
            let turn: [EncodingPart] = [.literal(message.content), .special("<|im_end|>")]
            if message.role == .assistant {
                segments.append(ChatSegment(parts: pending, isAssistant: false))
                segments.append(ChatSegment(parts: turn, isAssistant: true))
                pending = []
            } else {
                pending += turn
            }
            pending.append(.literal("\n"))
        }
        if addingPrompt { pending += [.special("<|im_start|>"), .literal("assistant\n")] }
        if !pending.isEmpty { segments.append(ChatSegment(parts: pending, isAssistant: false)) }
        return segments
    }

    /// `text` without whitespace at both ends, as Python's `strip` has it.
    private static func stripped(_ text: String) -> String {
        func isSpace(_ scalar: Unicode.Scalar) -> Bool {
            scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
        }
        var scalars = Substring(text).unicodeScalars
        while let first = scalars.first, isSpace(first) { scalars.removeFirst() }
        while let last = scalars.last, isSpace(last) { scalars.removeLast() }
        return String(scalars)
    }

    /// The template in Jinja, to recognize others by.
    private var jinja: String {
        switch self {
        case .llama2:
            """
            {% if messages[0].role == 'system' %}{% set rest = messages[1:] %}{% set system = messages[0].content %}
            {% else %}{% set rest = messages %}{% set system = false %}{% endif %}
            {% for message in rest %}
            {% if loop.index0 == 0 and system != false %}
            {% set content = '<<SYS>>\\n' + system + '\\n<</SYS>>\\n\\n' + message.content %}
            {% else %}{% set content = message.content %}{% endif %}
            {% if message.role == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}
            {%- elif message.role == 'assistant' %}{{ ' ' + content.strip() + ' ' + eos_token }}
            {%- endif %}
            {% endfor %}
            """
        case .chatML:
            """
            {% for message in messages %}
            {{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
            {%- endfor %}
            {% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}
            {%- endif %}
            """
        }
    }
}
