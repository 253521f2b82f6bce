import Foundation
import Platform

/// One record of a TensorBoard event file: what was measured at a step.
public struct Event: Hashable, Sendable {
    /// When it was written, in seconds since 1970.
    public var wallTime: Double
    /// The x-axis: the training step, or k in a curve.
    public var step: Int
    /// What was measured.
    public var values: [Value]

    /// A tag and what stands under it.
    public struct Value: Hashable, Sendable {
        /// The name, with slashes: `train/loss`.
        public var tag: String
        /// The measurement.
        public var content: Content

        /// Names a measurement.
        public init(tag: String, content: Content) {
            self.tag = tag
            self.content = content
        }
    }

    /// The kinds of measurement that are written here.
    public enum Content: Hashable, Sendable {
        /// A number, NaN and infinities as they are.
        case scalar(Float)
        /// A picture.
        case image(Image)
        /// A text that TensorBoard renders as Markdown.
        case text(String)
        /// What a session was started with, for the HPARAMS tab.
        case sessionStart(Session)
        /// How a session ended.
        case sessionEnd(SessionStatus, time: Double)
        /// A kind that is read from a file but not understood.
        case other
    }

    /// A PNG with the size its header states.
    public struct Image: Hashable, Sendable {
        /// Pixels in a row.
        public let width: Int
        /// Rows.
        public let height: Int
        /// Channels: 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA.
        public let channels: Int
        /// The file's bytes.
        public let png: Data
    }

    /// A run as the HPARAMS tab lists it.
    public struct Session: Hashable, Sendable {
        /// Dotted names and their values: numbers, texts and Booleans.
        public let hyperparameters: [String: JSONValue]
        /// Sessions of one group share a row; usually the run's name.
        public let groupName: String
        /// The start in seconds since 1970.
        public let startTime: Double

        /// A session's start.
        ///
        /// - Parameter hyperparameters: members of nested objects get dotted names (`model.n_embd`); what the
        ///   HPARAMS tab has no column type for (lists, null, non-finite numbers) becomes its JSON text.
        public init(hyperparameters: [String: JSONValue], groupName: String, startTime: Double) {
            var flat: [String: JSONValue] = [:]
            func add(_ members: [String: JSONValue], under prefix: String) {
                for (key, value) in members {
                    switch value {
                    case .object(let members): add(members, under: prefix + key + ".")
                    case .integer(let value): flat[prefix + key] = .number(Double(value))
                    case .boolean, .string: flat[prefix + key] = value
                    case .number(let number) where number.isFinite: flat[prefix + key] = value
                    case .number, .null, .array:
                        flat[prefix + key] = .string(CanonicalJSON.text(of: value))
                    }
                }
            }
            add(hyperparameters, under: "")
            self.hyperparameters = flat
            self.groupName = groupName
            self.startTime = startTime
        }
    }

    /// How a session ended, with TensorBoard's numbers.
    public enum SessionStatus: Int, Hashable, Sendable {
        /// Nobody knows.
        case unknown = 0
        /// It is finished.
        case success = 1
        /// It is given up.
        case failure = 2
        /// It has not ended.
        case running = 3
    }

    /// An event of finished values.
    public init(wallTime: Double, step: Int, values: [Value]) {
        self.wallTime = wallTime
        self.step = step
        self.values = values
    }

    /// An event of scalars; TensorBoard keeps single precision.
    public init(step: Int, time: Date, scalars: [(tag: String, value: Double)]) {
        self.init(
            wallTime: time.timeIntervalSince1970, step: step,
            values: scalars.map { Value(tag: $0.tag, content: .scalar(Float($0.value))) })
    }

    /// An event of one value.
    init(step: Int = 0, time: Date, tag: String, _ content: Content) {
        self.init(
            wallTime: time.timeIntervalSince1970, step: step,
            values: [Value(tag: tag, content: content)])
    }
}

extension Event.Image {
    /// Reads size and channels from the header of `png`.
    ///
    /// - Throws: ``SystemError`` when the bytes do not start as a PNG does (ISO/IEC 15948, 11.2.2).
    public init(png: Data) throws {
        let header = [UInt8](png.prefix(26))
        let start: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13]
        guard header.count == 26, header.starts(with: start + Array("IHDR".utf8)),
            let channels = [0: 1, 2: 3, 3: 3, 4: 2, 6: 4][header[25]]
        else { throw SystemError("a picture for TensorBoard is no PNG; draw it again as PNG") }
        self.init(
            width: Int(littleEndianValue(header[16..<20].reversed())),
            height: Int(littleEndianValue(header[20..<24].reversed())), channels: channels,
            png: png)
    }
}
