import Foundation
import FuzzTargets
import Platform
import Testing

/// The inputs that fuzzing found worth keeping, reproducers of what it broke among them, and a short run of changed ones:
/// `make fuzz` does that for as long as one likes, and is told by the compiler where it has been.
@Suite struct CorpusTests {
    private static let corpus =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path + "/Fuzz/Corpus"

    private static func inputs(_ target: FuzzTarget) throws -> [[UInt8]] {
        let directory = "\(corpus)/\(target.rawValue)"
        return try Files.list(directory).compactMap { try Files.read(directory + "/" + $0) }
    }

    @Test(arguments: FuzzTarget.allCases)
    func `no input of the corpus brings the program down`(target: FuzzTarget) throws {
        let inputs = try Self.inputs(target)
        #expect(!inputs.isEmpty)
        for input in inputs { target.run(input) }
    }

    @Test(arguments: FuzzTarget.allCases)
    func `no input like those of the corpus does either`(target: FuzzTarget) throws {
        let inputs = try Self.inputs(target)
        var mutation = Mutation(seed: 1)
        let end = Date(timeIntervalSinceNow: 0.5)
        repeat { target.run(mutation.changed(inputs)) } while Date() < end
    }
}

/// Inputs with some bytes changed, the same for the same seed.
private struct Mutation: RandomNumberGenerator {
    private var state: UInt64
    private static let words = ["", "\"", "{", "[", "(", "-1", "9223372036854775808", "1e999", "\u{0}", "\u{301}"]
    private static let telling = words.map { Array($0.utf8) } + [[0x80], [0xc0, 0x0c], [0xff, 0xff]]

    init(seed: UInt64) {
        state = seed
    }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
        return bits ^ (bits >> 31)
    }

    mutating func changed(_ inputs: [[UInt8]]) -> [UInt8] {
        var bytes = inputs.randomElement(using: &self) ?? []
        for _ in 0..<Int.random(in: 1...4, using: &self) {
            let start = Int.random(in: 0...bytes.count, using: &self)
            let end = min(bytes.count, start + Int.random(in: 0...4, using: &self))
            bytes.replaceSubrange(start..<end, with: Self.telling.randomElement(using: &self) ?? [])
        }
        return bytes
    }
}
