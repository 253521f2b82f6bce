import Foundation
import Testing

@testable import Experiments

/// The bytes that a row of hexadecimal digits spells; spaces are left out.
func hexadecimal(_ text: String) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

@Suite struct CRC32CTests {
    /// The catalogue's check value, RFC 3720 appendix B.4, and TensorFlow's own test of the mask.
    @Test func matchesPublishedValues() {
        #expect(CRC32C.checksum("123456789".utf8) == 0xE306_9283)
        #expect(CRC32C.checksum([]) == 0)
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(CRC32C.checksum((0..<32).map { UInt8($0) }) == 0x46DD_794E)
        #expect(CRC32C.masked("\u{1A}\u{11}CRC test, one two".utf8) == 0x5794_D08A)
    }
}

/// The expected bytes were written with TensorBoard 2.21's own protocol buffers (map keys sorted) and its
/// RecordWriter.
@Suite struct EventRecordTests {
    private let time = Date(timeIntervalSince1970: 2)

    @Test func versionRecordIsTensorBoards() {
        let record = EventRecord.framed(Event.versionMessage(wallTime: 2))
        #expect(
            record
                == hexadecimal(
                    """
                    1800000000000000 a37f4b22
                    090000000000000040 1a0d 627261696e2e4576656e743a32 ff2ee0e7
                    """))
    }

    @Test func goldenRecord() {
        let event = Event(step: 300, time: time, scalars: [(tag: "loss", value: 0.5)])
        let expected = hexadecimal(
            """
            1b00000000000000 1a0d9e13
            09000000000000004010ac022a0d0a0b0a046c6f7373150000003f dfc52b60
            """)
        #expect(EventRecord.framed(event.message) == expected)
    }

    /// Zero is written where it is a measurement and left out where it is a default; NaN is written.
    @Test func severalScalarsShareARecord() {
        let event = Event(
            step: 0, time: Date(timeIntervalSince1970: 3.5),
            scalars: [(tag: "train/loss", value: 0), (tag: "train/grad_norm", value: .nan)])
        let expected = hexadecimal(
            """
            36000000000000004f578cef090000000000000c402a2b0a110a0a747261696e2f6c6f737315000000000a160a0f
            747261696e2f677261645f6e6f726d150000c07ff1116c0a
            """)
        #expect(EventRecord.framed(event.message) == expected)
    }

    @Test func sessionIsTensorBoards() {
        let session = Event.Session(
            hyperparameters: [
                "layout": "cft", "model": ["n_embd": 64], "learning_rate": 1.0e-4,
                "nesterov": false,
            ], groupName: "cft-s0", startTime: 2)
        let start = hexadecimal(
            """
            af000000000000006e05d5230900000000000000402aa3010aa0010a1c5f68706172616d735f2f73657373696f6e
            5f73746172745f696e666f42060801120212004a780a760a0768706172616d73126b1a690a0f0a066c61796f7574
            12051a036366740a1a0a0d6c6561726e696e675f726174651209112d431cebe2361a3f0a190a0c6d6f64656c2e6e
            5f656d626412091100000000000050400a0e0a086e65737465726f761202200022066366742d7330290000000000
            000040ff7651c9
            """)
        let event = Event.sessionStart(session, time: time)
        #expect(EventRecord.framed(event.message) == start)
        var end = Event.sessionEnd(.success, time: Date(timeIntervalSince1970: 9))
        end.step = 7
        let expected = hexadecimal(
            """
            4f000000000000006c474f9309000000000000224010072a420a400a1a5f68706172616d735f2f73657373696f6e
            5f656e645f696e666f42060801120212004a1a0a180a0768706172616d73120d220b0801110000000000002240c2
            c38ed4
            """)
        #expect(EventRecord.framed(end.message) == expected)
    }

    @Test func textAndImageAreTensorBoards() throws {
        let text = Event(time: time, tag: "config", .text("a: é\n"))
        let expectedText = hexadecimal(
            """
            2d000000000000003c418afb0900000000000000402a220a200a06636f6e666967420c080712004206613a20c3a9
            0a4a080a060a04746578746657d48c
            """)
        #expect(EventRecord.framed(text.message) == expectedText)
        let picture = try Event.Image(png: Data(samplePNG))
        #expect(picture.width == 3 && picture.height == 2 && picture.channels == 4)
        let image = Event(step: 5, time: time, tag: "figures/curve", .image(picture))
        let expectedImage = hexadecimal(
            """
            490000000000000036250ea309000000000000004010052a3c0a3a0a0d666967757265732f637572766522290802
            10031804222189504e470d0a1a0a0000000d49484452000000030000000208060000009d74661a3b29b0ea
            """)
        #expect(EventRecord.framed(image.message) == expectedImage)
    }

    @Test(arguments: [(0, 1), (2, 3), (3, 3), (4, 2), (6, 4)])
    func readsChannelsFromThePNG(colorType: Int, channels: Int) throws {
        var png = samplePNG
        png[25] = UInt8(colorType)
        png[16...19] = [0, 1, 2, 3]
        let image = try Event.Image(png: Data(png))
        #expect(image.channels == channels && image.width == 0x10203 && image.height == 2)
    }

    @Test func refusesWhatIsNoPNG() {
        var interlaced = samplePNG
        interlaced[25] = 5
        for bytes in [[], Array("<svg/>".utf8), Array(samplePNG.prefix(25)), interlaced] {
            #expect {
                try Event.Image(png: Data(bytes))
            } throws: {
                "\($0)" == "a picture for TensorBoard is no PNG; draw it again as PNG"
            }
        }
    }

    /// What the HPARAMS tab has no column type for becomes text; names are flattened.
    @Test func hyperparametersAreFlat() {
        let session = Event.Session(
            hyperparameters: [
                "model": ["size": ["n_embd": 64]], "seeds": [0, 1], "from": nil,
                "limit": .number(.infinity), "name": "a",
            ], groupName: "g", startTime: 0)
        #expect(
            session.hyperparameters == [
                "model.size.n_embd": .number(64), "seeds": "[0,1]", "from": "null",
                "limit": "null", "name": "a",
            ])
    }

    @Test func negativeStepsAndLongVarintsSurvive() throws {
        for step in [-1, 127, 128, 1 << 40, .max, .min] {
            let event = Event(step: step, time: time, scalars: [(tag: "é", value: -1.5)])
            guard case .event(let parsed) = try Event.parse(event.message[...]) else {
                Issue.record("no event")
                continue
            }
            #expect(parsed == event)
        }
    }

    @Test func malformedMessagesThrow() {
        let message = Event(step: 300, time: time, scalars: [(tag: "loss", value: 0.5)]).message
        // A cut inside the time, inside the step's number, and inside the summary.
        for length in [3, 10, 11, 14, message.count - 1] {
            #expect(throws: ProtobufField.Malformed.self) { try Event.parse(message[..<length]) }
        }
        let endless = [UInt8](repeating: 0xFF, count: 11)
        #expect(throws: ProtobufField.Malformed.self) { try Event.parse(endless[...]) }
    }
}

/// The first 33 bytes of a PNG of 3 × 2 RGBA pixels.
let samplePNG = hexadecimal(
    "89504e470d0a1a0a0000000d49484452000000030000000208060000009d74661a")
