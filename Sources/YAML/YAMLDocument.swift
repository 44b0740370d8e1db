package import AnsibleModule
internal import CYAML

/// Reads one YAML document, JSON among them, through libyaml.
///
/// A plain scalar stays the text that it is, save null: a key that looks like a number must not lose its zeros, and
/// options read texts as any other type anyway.
package enum YAML {
    /// Why a document cannot be read: one sentence that quotes none of it, since it may hold secrets.
    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    package static func parse(_ bytes: [UInt8]) throws(Failure) -> JSONValue {
        let document = try Document(bytes)
        return try document.value()
    }
}

/// A document as libyaml has composed it, aliases resolved to the nodes that they stand for.
private final class Document {
    /// Values that one document may grow to through its aliases, and mappings within mappings.
    private static let largest = 100_000
    private static let deepest = 100

    private var document = yaml_document_t()
    private var count = 0

    init(_ bytes: [UInt8]) throws(YAML.Failure) {
        var parser = yaml_parser_t()
        guard yaml_parser_initialize(&parser) != 0 else { throw YAML.Failure(description: "there is no memory for it") }
        defer { yaml_parser_delete(&parser) }
        // The parser reads from the buffer as long as it loads.
        let loaded = bytes.withUnsafeBufferPointer { buffer in
            yaml_parser_set_input_string(&parser, buffer.baseAddress, buffer.count)
            return yaml_parser_load(&parser, &document)
        }
        guard loaded != 0 else { throw Self.failure(of: parser) }
    }

    deinit { yaml_document_delete(&document) }

    private static func failure(of parser: yaml_parser_t) -> YAML.Failure {
        let problem = parser.problem.map { String(cString: $0) } ?? "it cannot be parsed"
        return YAML.Failure(description: "line \(parser.problem_mark.line + 1): \(problem)")
    }

    func value() throws(YAML.Failure) -> JSONValue {
        guard let root = yaml_document_get_root_node(&document) else { return .null }
        return try value(root.pointee, depth: 0)
    }

    private func value(_ node: yaml_node_t, depth: Int) throws(YAML.Failure) -> JSONValue {
        count += 1
        guard count <= Self.largest, depth <= Self.deepest else {
            throw failure(at: node, "there is more than a file of settings can hold")
        }
        switch node.type {
        case YAML_SCALAR_NODE: return Self.scalar(node.data.scalar)
        case YAML_SEQUENCE_NODE:
            var elements: [JSONValue] = []
            for item in UnsafeBufferPointer(from: node.data.sequence.items.start, to: node.data.sequence.items.top) {
                elements.append(try value(self.node(item), depth: depth + 1))
            }
            return .array(elements)
        default: return try mapping(node, depth: depth)
        }
    }

    private func mapping(_ node: yaml_node_t, depth: Int) throws(YAML.Failure) -> JSONValue {
        var members: [String: JSONValue] = [:]
        var merged: [[String: JSONValue]] = []
        for pair in UnsafeBufferPointer(from: node.data.mapping.pairs.start, to: node.data.mapping.pairs.top) {
            let key = self.node(pair.key)
            guard key.type == YAML_SCALAR_NODE else { throw failure(at: key, "the key of a mapping is no text") }
            let name = Self.text(key.data.scalar)
            let value = try value(self.node(pair.value), depth: depth + 1)
            if name == "<<", key.data.scalar.style == YAML_PLAIN_SCALAR_STYLE {
                merged += (value.array ?? [value]).compactMap(\.object)
            } else if members.updateValue(value, forKey: name) != nil {
                throw failure(at: key, "a key stands there twice")
            }
        }
        for others in merged { members.merge(others) { own, _ in own } }
        return .object(members)
    }

    private static func scalar(_ scalar: yaml_node_t.__Unnamed_union_data.__Unnamed_struct_scalar) -> JSONValue {
        let text = text(scalar)
        let isNull = ["", "~", "null", "Null", "NULL"].contains(text)
        return isNull && scalar.style == YAML_PLAIN_SCALAR_STYLE ? .null : .string(text)
    }

    private static func text(_ scalar: yaml_node_t.__Unnamed_union_data.__Unnamed_struct_scalar) -> String {
        String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
    }

    private func node(_ index: Int32) -> yaml_node_t { document.nodes.start[Int(index) - 1] }

    private func failure(at node: yaml_node_t, _ problem: String) -> YAML.Failure {
        YAML.Failure(description: "line \(node.start_mark.line + 1): \(problem)")
    }
}

extension UnsafeBufferPointer {
    /// The elements of one of libyaml's stacks.
    fileprivate init(from start: UnsafeMutablePointer<Element>?, to top: UnsafeMutablePointer<Element>?) {
        guard let start, let top else { self.init(start: nil, count: 0); return }
        self.init(start: start, count: top - start)
    }
}
