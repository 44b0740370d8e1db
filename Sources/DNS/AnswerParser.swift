internal import CResolv
internal import Names

/// Reads messages of servers that may say anything (RFC 1035, section 4) with the C library's own parser.
package enum AnswerParser {
    package enum Failure: Error, Equatable {
        /// The message is not the answer to this question: another id, another question, no answer at all.
        case unrelated
        case malformed(String)
    }

    /// The answer in `message` to `question`, sent with `id`.
    package static func parse(_ message: [UInt8], id: UInt16, question: Question) throws(Failure) -> Answer {
        let result: Result<Answer, Failure> = message.withUnsafeBufferPointer { buffer in
            Result { () throws(Failure) -> Answer in
                var handle = ns_msg()
                // ns_initparse walks every record's bounds.
                guard ns_initparse(buffer.baseAddress, Int32(buffer.count), &handle) == 0 else {
                    throw hasID(buffer, id) ? .malformed("is no whole DNS message") : .unrelated
                }
                return try read(&handle, id: id, question: question)
            }
        }
        return try result.get()
    }

    private static func hasID(_ buffer: UnsafeBufferPointer<UInt8>, _ id: UInt16) -> Bool {
        buffer.count >= 12 && buffer[0] == UInt8(id >> 8) && buffer[1] == UInt8(id & 0xff)
    }

    private static func read(
        _ handle: inout ns_msg, id: UInt16, question: Question
    ) throws(Failure) -> Answer {
        guard handle._id == id, ns_msg_getflag(handle, Int32(ns_f_qr.rawValue)) == 1,
            ns_msg_getflag(handle, Int32(ns_f_opcode.rawValue)) == 0
        else { throw .unrelated }
        let code = ResponseCode(rawValue: Int(ns_msg_getflag(handle, Int32(ns_f_rcode.rawValue))))
        let questions = count(handle, ns_s_qd)
        // A server that cannot read a message may leave the question out of its complaint.
        let isBareComplaint = questions == 0 && code != .noError
        guard isBareComplaint || repeats(question, &handle) else { throw .unrelated }
        let isTruncated = ns_msg_getflag(handle, Int32(ns_f_tc.rawValue)) == 1
        return Answer(
            code: code,
            isTruncated: isTruncated,
            isAuthoritative: ns_msg_getflag(handle, Int32(ns_f_aa.rawValue)) == 1,
            records: isTruncated ? [] : try records(&handle))
    }

    private static func count(_ handle: ns_msg, _ section: ns_sect) -> Int {
        let counts = handle._counts
        return section == ns_s_qd ? Int(counts.0) : Int(counts.1)
    }

    private static func repeats(_ question: Question, _ handle: inout ns_msg) -> Bool {
        var record = ns_rr()
        guard count(handle, ns_s_qd) == 1, ns_parserr(&handle, ns_s_qd, 0, &record) == 0 else { return false }
        let name = try? DNSName(String(cString: shim_record_name(&record)))
        return name == question.name && record.type == question.type.rawValue && record.rr_class == 1
    }

    private static func records(_ handle: inout ns_msg) throws(Failure) -> [Answer.Record] {
        var records: [Answer.Record] = []
        for index in 0..<count(handle, ns_s_an) {
            var record = ns_rr()
            guard ns_parserr(&handle, ns_s_an, Int32(index), &record) == 0 else {
                throw .malformed("has a broken record")
            }
            // Owners that no name of ours can be (escaped bytes) answer no question of ours.
            guard record.rr_class == 1, let type = RecordType(rawValue: record.type),
                let owner = try? DNSName(String(cString: shim_record_name(&record)))
            else { continue }
            records.append(Answer.Record(owner: owner, value: try value(type, of: record, in: handle)))
        }
        return records
    }

    private static func value(
        _ type: RecordType, of record: ns_rr, in handle: ns_msg
    ) throws(Failure) -> Answer.Value {
        let data = Array(UnsafeBufferPointer(start: record.rdata, count: Int(record.rdlength)))
        switch type {
        case .cname: return .alias(try name(in: record, handle, "CNAME"))
        case .ns: return .server(try name(in: record, handle, "NS"))
        case .soa: return .serial(try serial(data))
        case .txt: return .text(try strings(data))
        case .a:
            guard data.count == 4 else { throw .malformed("has an A record of \(data.count) bytes") }
            return .address(data)
        case .aaaa:
            guard data.count == 16 else { throw .malformed("has an AAAA record of \(data.count) bytes") }
            return .address(data)
        case .caa:
            guard let record = CAARecord(data: data) else { throw .malformed("has a CAA record that breaks off") }
            return .authorization(record)
        }
    }

    private static func name(in record: ns_rr, _ handle: ns_msg, _ type: String) throws(Failure) -> DNSName {
        var text = [CChar](repeating: 0, count: Int(NS_MAXDNAME))
        let length = ns_name_uncompress(handle._msg, handle._eom, record.rdata, &text, text.count)
        guard length >= 0, length <= Int32(record.rdlength) else {
            throw .malformed("has a \(type) record whose name is broken")
        }
        let target = text.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
        do {
            return try DNSName(target)
        } catch {
            throw .malformed("has a \(type) record with a name that cannot be used: \(error)")
        }
    }

    /// The first of the five numbers that a SOA record ends with (RFC 1035, section 3.3.13).
    private static func serial(_ data: [UInt8]) throws(Failure) -> UInt32 {
        // Before them stand two names of at least a byte each.
        guard data.count >= 2 + 5 * 4 else { throw .malformed("has a SOA record of \(data.count) bytes") }
        return data.suffix(20).prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// The character-strings of a TXT record, joined (RFC 1035, section 3.3.14).
    private static func strings(_ data: [UInt8]) throws(Failure) -> [UInt8] {
        var rest = data[...]
        var text: [UInt8] = []
        while let length = rest.popFirst() {
            guard rest.count >= Int(length) else { throw .malformed("has a TXT record that breaks off") }
            text += rest.prefix(Int(length))
            rest = rest.dropFirst(Int(length))
        }
        return text
    }
}
