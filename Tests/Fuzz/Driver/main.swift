internal import CFuzzer
internal import FuzzTargets
internal import Glibc

// libFuzzer's own options and directories of inputs, and in FUZZ_TARGET what is to be fed with them.
let name = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
guard let target = FuzzTarget(rawValue: name) else {
    fatalError("FUZZ_TARGET names none of \(FuzzTarget.allCases.map(\.rawValue))")
}
nonisolated(unsafe) private var current = target

var count = CommandLine.argc
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
exit(
    LLVMFuzzerRunDriver(&count, &arguments) { start, count in
        current.run(Array(UnsafeBufferPointer(start: start, count: count)))
        return 0
    })
