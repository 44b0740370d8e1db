internal import CYAML

/// A mapping of texts and of further mappings, in the order in which it is written.
package struct YAMLMapping {
    package enum Value {
        case text(String)
        case mapping(YAMLMapping)
    }

    package var members: [(key: String, value: Value)] = []

    package init() {}

    package mutating func append(_ key: String, _ text: String) { members.append((key, .text(text))) }

    package mutating func append(_ key: String, _ mapping: YAMLMapping) { members.append((key, .mapping(mapping))) }

    /// The document that libyaml makes of it, texts as literal block scalars: each line stands in it as it is.
    /// Throws where a text cannot stand in YAML, or there is no memory.
    package func rendered() throws(YAML.Failure) -> [UInt8] {
        let writer = try Writer()
        try writer.write(self)
        return writer.output.bytes
    }
}

/// What libyaml has written so far.
private final class Output {
    var bytes: [UInt8] = []
}

/// One document on its way through libyaml.
private final class Writer {
    let output = Output()
    /// libyaml keeps pointers into itself, so that it must not move.
    private let emitter = UnsafeMutablePointer<yaml_emitter_t>.allocate(capacity: 1)

    init() throws(YAML.Failure) {
        guard yaml_emitter_initialize(emitter) != 0 else {
            emitter.deallocate()
            throw YAML.Failure(description: "there is no memory to write YAML")
        }
        yaml_emitter_set_unicode(emitter, 1)
        yaml_emitter_set_width(emitter, -1)
        yaml_emitter_set_output(
            emitter,
            { context, buffer, count in
                guard let context, let buffer else { return 0 }
                let output = Unmanaged<Output>.fromOpaque(context).takeUnretainedValue()
                output.bytes += UnsafeBufferPointer(start: buffer, count: count)
                return 1
            }, Unmanaged.passUnretained(output).toOpaque())
    }

    deinit {
        yaml_emitter_delete(emitter)
        emitter.deallocate()
    }

    func write(_ mapping: YAMLMapping) throws(YAML.Failure) {
        try emit { yaml_stream_start_event_initialize($0, YAML_UTF8_ENCODING) }
        try emit { yaml_document_start_event_initialize($0, nil, nil, nil, 0) }
        try value(mapping)
        try emit { yaml_document_end_event_initialize($0, 1) }
        try emit { yaml_stream_end_event_initialize($0) }
    }

    private func value(_ mapping: YAMLMapping) throws(YAML.Failure) {
        try emit { yaml_mapping_start_event_initialize($0, nil, nil, 1, YAML_BLOCK_MAPPING_STYLE) }
        for (key, value) in mapping.members {
            try scalar(key, YAML_PLAIN_SCALAR_STYLE)
            switch value {
            case .text(let text): try scalar(text, YAML_LITERAL_SCALAR_STYLE)
            case .mapping(let inner): try self.value(inner)
            }
        }
        try emit { yaml_mapping_end_event_initialize($0) }
    }

    private func scalar(_ text: String, _ style: yaml_scalar_style_t) throws(YAML.Failure) {
        let bytes = Array(text.utf8)
        try emit { event in
            bytes.withUnsafeBufferPointer {
                yaml_scalar_event_initialize(event, nil, nil, $0.baseAddress, Int32($0.count), 1, 1, style)
            }
        }
    }

    /// Makes an event and hands it to the emitter, which owns it from then on.
    private func emit(_ make: (UnsafeMutablePointer<yaml_event_t>) -> Int32) throws(YAML.Failure) {
        var event = yaml_event_t()
        guard make(&event) != 0 else { throw YAML.Failure(description: "a text cannot stand in YAML: it is no UTF-8") }
        guard yaml_emitter_emit(emitter, &event) != 0 else {
            let problem = emitter.pointee.problem.map { String(cString: $0) } ?? "there is no memory"
            throw YAML.Failure(description: "YAML cannot be written: \(problem)")
        }
    }
}
