internal import Glibc

/// An open file of this process that no child inherits by itself; closed with its owner or before.
final class Descriptor {
    private(set) var number: Int32

    /// Throws the `errno` of the call that should have opened it.
    init(taking number: Int32, _ action: String, _ path: String) throws(SystemError) {
        self.number = try check(number, action, path)
        _ = fcntl(number, F_SETFD, FD_CLOEXEC)
    }

    deinit { end() }

    var isOpen: Bool { number >= 0 }

    func end() {
        if isOpen { close(number) }
        number = -1
    }

    func neverBlock() {
        _ = fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK)
    }
}

/// What a child writes.
struct IncomingBytes {
    let descriptor: Descriptor
    private(set) var bytes: [UInt8] = []

    /// A pipe: the end to read from, and the child's.
    static func make() throws(SystemError) -> (IncomingBytes, Descriptor) {
        var ends: [Int32] = [-1, -1]
        try check(pipe(&ends), "make", "a pipe")
        let reading = try Descriptor(taking: ends[0], "make", "a pipe")
        reading.neverBlock()
        return (IncomingBytes(descriptor: reading), try Descriptor(taking: ends[1], "make", "a pipe"))
    }

    /// Takes what is there now and keeps the first `limit` bytes of all; closes where there will be no more.
    mutating func read(limit: Int) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while descriptor.isOpen {
            let count = Glibc.read(descriptor.number, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            if count < 0 && errno == EAGAIN { return }
            guard count > 0 else { return descriptor.end() }
            bytes += buffer[..<min(count, limit - bytes.count)]
        }
    }
}

/// What a child reads.
struct OutgoingBytes {
    /// Nil where there is nothing to write.
    let descriptor: Descriptor?
    private var rest: ArraySlice<UInt8>

    /// The end to write to, and the child's: `/dev/null` where there is nothing to read, else a socket, whose
    /// writer is told of a reader that has gone by an error and not by a signal.
    static func make(_ bytes: [UInt8]) throws(SystemError) -> (OutgoingBytes, Descriptor) {
        if bytes.isEmpty {
            let empty = try Descriptor(taking: open("/dev/null", O_RDONLY | O_CLOEXEC), "open", "/dev/null")
            return (OutgoingBytes(descriptor: nil, rest: []), empty)
        }
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        try check(socketpair(AF_UNIX, type, 0, &ends), "make", "a socket")
        let writing = try Descriptor(taking: ends[0], "make", "a socket")
        writing.neverBlock()
        let reading = try Descriptor(taking: ends[1], "make", "a socket")
        return (OutgoingBytes(descriptor: writing, rest: bytes[...]), reading)
    }

    /// Gives what is taken now; closes after the last byte, or where nobody reads any more.
    mutating func write() {
        while let descriptor, descriptor.isOpen {
            let count = rest.withUnsafeBytes {
                send(descriptor.number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0 && errno == EINTR { continue }
            if count < 0 && errno == EAGAIN { return }
            rest = rest.dropFirst(max(0, count))
            if count < 0 || rest.isEmpty { descriptor.end() }
        }
    }
}
