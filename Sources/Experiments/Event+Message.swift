import Foundation

/// Events as protocol-buffer messages.
///
/// Field numbers: event.proto, summary.proto, tensor.proto and the hparams plugin's plugin_data.proto of
/// TensorBoard 2.21.
extension Event {
    /// What an event file's first record says.
    static let fileVersion = "brain.Event:2"

    private static let hparams = "hparams"
    private static let sessionStartTag = "_hparams_/session_start_info"
    private static let sessionEndTag = "_hparams_/session_end_info"

    /// The message of a file's first record.
    static func versionMessage(wallTime: Double) -> [UInt8] {
        ProtobufMessage { event in
            if wallTime != 0 { event.double(1, wallTime) }
            event.string(3, fileVersion)
        }.bytes
    }

    /// The event as a message.
    var message: [UInt8] {
        ProtobufMessage { event in
            if wallTime != 0 { event.double(1, wallTime) }
            if step != 0 { event.varint(2, step) }
            event.message(5) { summary in
                for value in values {
                    summary.message(1) { message in
                        if !value.tag.isEmpty { message.string(1, value.tag) }
                        Event.write(value.content, to: &message)
                    }
                }
            }
        }.bytes
    }

    private static func write(_ content: Content, to value: inout ProtobufMessage) {
        switch content {
        case .scalar(let number): value.float(2, number)
        case .image(let image):
            value.message(4) { message in
                message.varint(1, image.height)
                message.varint(2, image.width)
                message.varint(3, image.channels)
                message.bytes(4, image.png)
            }
        case .text(let text):
            value.message(8) { tensor in
                tensor.varint(1, 7)  // DT_STRING
                tensor.message(2) { _ in }  // a scalar's shape
                tensor.string(8, text)
            }
            value.message(9) { $0.message(1) { $0.string(1, "text") } }
        case .sessionStart(let session):
            writeSession(to: &value) { data in
                data.message(3) { write(session, to: &$0) }
            }
        case .sessionEnd(let status, let time):
            writeSession(to: &value) { data in
                data.message(4) { end in
                    if status != .unknown { end.varint(1, status.rawValue) }
                    if time != 0 { end.double(2, time) }
                }
            }
        case .other: break
        }
    }

    /// The hparams plugin keeps its data as metadata, under an empty float vector.
    private static func writeSession(
        to value: inout ProtobufMessage, _ data: (inout ProtobufMessage) -> Void
    ) {
        value.message(8) { tensor in
            tensor.varint(1, 1)  // DT_FLOAT
            tensor.message(2) { shape in shape.message(2) { _ in } }  // one dimension, of size 0
        }
        value.message(9) { metadata in
            metadata.message(1) { plugin in
                plugin.string(1, hparams)
                plugin.message(2, data)
            }
        }
    }

    private static func write(_ session: Session, to message: inout ProtobufMessage) {
        let sorted = session.hyperparameters.sorted {
            $0.key.utf8.lexicographicallyPrecedes($1.key.utf8)
        }
        for (name, value) in sorted {
            message.message(1) { entry in
                entry.string(1, name)
                entry.message(2) { write(value, to: &$0) }
            }
        }
        if !session.groupName.isEmpty { message.string(4, session.groupName) }
        if session.startTime != 0 { message.double(5, session.startTime) }
    }

    /// google.protobuf.Value of a hyper-parameter.
    private static func write(_ value: JSONValue, to message: inout ProtobufMessage) {
        switch value {
        case .number(let number): message.double(2, number)
        case .integer(let number): message.double(2, Double(number))
        case .boolean(let flag): message.varint(4, flag ? 1 : 0)
        case .string(let text): message.string(3, text)
        case .null, .array, .object: message.string(3, CanonicalJSON.text(of: value))
        }
    }
}

extension Event {
    /// What a message says: an event, or a file's version.
    enum Message {
        case event(Event)
        case version(String)
    }

    /// Reads a record's data.
    ///
    /// - Throws: ``ProtobufField/Malformed``.
    static func parse(_ bytes: ArraySlice<UInt8>) throws -> Message {
        var event = Event(wallTime: 0, step: 0, values: [])
        for field in try ProtobufField.fields(of: bytes) {
            switch (field.number, field.kind) {
            case (1, .fixed64): event.wallTime = field.double
            case (2, .varint): event.step = field.integer
            case (3, .delimited): return .version(field.text)
            case (5, .delimited):
                for value in try ProtobufField.fields(of: field.contents) where value.number == 1 {
                    event.values.append(try parseValue(value.contents))
                }
            default: break
            }
        }
        return .event(event)
    }

    private static func parseValue(_ bytes: ArraySlice<UInt8>) throws -> Value {
        var value = Value(tag: "", content: .other)
        var text: String?
        var (plugin, data) = ("", ArraySlice<UInt8>())
        for field in try ProtobufField.fields(of: bytes) {
            switch (field.number, field.kind) {
            case (1, .delimited): value.tag = field.text
            case (2, .fixed32): value.content = .scalar(field.float)
            case (4, .delimited): value.content = .image(try parseImage(field.contents))
            case (8, .delimited):
                text = try ProtobufField.fields(of: field.contents).first { $0.number == 8 }?.text
            case (9, .delimited):
                for part in try ProtobufField.fields(of: field.contents) where part.number == 1 {
                    let fields = try ProtobufField.fields(of: part.contents)
                    plugin = fields.first { $0.number == 1 }?.text ?? ""
                    data = fields.first { $0.number == 2 }?.contents ?? []
                }
            default: break
            }
        }
        if plugin == "text", let text { value.content = .text(text) }
        if plugin == hparams { value.content = try parseSession(data) }
        return value
    }

    private static func parseImage(_ bytes: ArraySlice<UInt8>) throws -> Image {
        var numbers = [1: 0, 2: 0, 3: 0]
        var png = Data()
        for field in try ProtobufField.fields(of: bytes) {
            if field.kind == .varint { numbers[field.number] = field.integer }
            if field.number == 4 { png = Data(field.contents) }
        }
        return Image(
            width: numbers[2] ?? 0, height: numbers[1] ?? 0, channels: numbers[3] ?? 0, png: png)
    }

    private static func parseSession(_ bytes: ArraySlice<UInt8>) throws -> Content {
        for field in try ProtobufField.fields(of: bytes) {
            let parts = try field.kind == .delimited ? ProtobufField.fields(of: field.contents) : []
            if field.number == 3 { return .sessionStart(try parseStart(parts)) }
            if field.number == 4 {
                let status = parts.first { $0.number == 1 }?.integer ?? 0
                return .sessionEnd(
                    SessionStatus(rawValue: status) ?? .unknown,
                    time: parts.first { $0.number == 2 }?.double ?? 0)
            }
        }
        return .other
    }

    private static func parseStart(_ fields: [ProtobufField]) throws -> Session {
        var hyperparameters: [String: JSONValue] = [:]
        for entry in fields where entry.number == 1 {
            let parts = try ProtobufField.fields(of: entry.contents)
            guard let name = parts.first(where: { $0.number == 1 })?.text,
                let value = parts.first(where: { $0.number == 2 })
            else { continue }
            for kind in try ProtobufField.fields(of: value.contents) {
                switch kind.number {
                case 2: hyperparameters[name] = .number(kind.double)
                case 3: hyperparameters[name] = .string(kind.text)
                case 4: hyperparameters[name] = .boolean(kind.bits != 0)
                default: break
                }
            }
        }
        return Session(
            hyperparameters: hyperparameters,
            groupName: fields.first { $0.number == 4 }?.text ?? "",
            startTime: fields.first { $0.number == 5 }?.double ?? 0)
    }

    static func sessionStart(_ session: Session, time: Date) -> Event {
        Event(time: time, tag: sessionStartTag, .sessionStart(session))
    }

    static func sessionEnd(_ status: SessionStatus, time: Date) -> Event {
        Event(
            time: time, tag: sessionEndTag,
            .sessionEnd(status, time: time.timeIntervalSince1970))
    }
}
