// onnx_file.h: .onnx files for tests, written field by field from the numbers in onnx.proto, without the
// library that reads them.
#ifndef QAT_TESTS_SUPPORT_ONNX_FILE_H_
#define QAT_TESTS_SUPPORT_ONNX_FILE_H_

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace qat::testing {

/// A protobuf message under construction.
class ProtoMessage {
 public:
  ProtoMessage& Integer(uint32_t field, int64_t value) {
    Varint(uint64_t{field} << 3);
    Varint(static_cast<uint64_t>(value));
    return *this;
  }
  ProtoMessage& Text(uint32_t field, const std::string& text) {
    Varint(uint64_t{field} << 3 | 2);
    Varint(text.size());
    bytes_ += text;
    return *this;
  }
  ProtoMessage& Message(uint32_t field, const ProtoMessage& message) { return Text(field, message.bytes_); }
  ProtoMessage& Float(uint32_t field, float value) {
    Varint(uint64_t{field} << 3 | 5);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
    return *this;
  }
  template <class T>
  ProtoMessage& Packed(uint32_t field, const std::vector<T>& values) {
    return Text(field, std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)));
  }
  const std::string& bytes() const { return bytes_; }

 private:
  void Varint(uint64_t value) {
    while (value >= 0x80) {
      bytes_.push_back(static_cast<char>(value | 0x80));
      value >>= 7;
    }
    bytes_.push_back(static_cast<char>(value));
  }
  std::string bytes_;
};

inline ProtoMessage OnnxInts(const std::string& name, const std::vector<int64_t>& values) {
  ProtoMessage attribute;
  attribute.Text(1, name).Integer(20, 7);
  for (const int64_t value : values) attribute.Integer(8, value);
  return attribute;
}
inline ProtoMessage OnnxInt(const std::string& name, int64_t value) {
  return ProtoMessage().Text(1, name).Integer(20, 2).Integer(3, value);
}
inline ProtoMessage OnnxFloat(const std::string& name, float value) {
  return ProtoMessage().Text(1, name).Integer(20, 1).Float(2, value);
}
inline ProtoMessage OnnxText(const std::string& name, const std::string& value) {
  return ProtoMessage().Text(1, name).Integer(20, 3).Text(4, value);
}

inline ProtoMessage OnnxFloats(const std::string& name, const std::vector<float>& values) {
  ProtoMessage attribute;
  attribute.Text(1, name).Integer(20, 6);
  for (const float value : values) attribute.Float(7, value);
  return attribute;
}
inline ProtoMessage OnnxTexts(const std::string& name, const std::vector<std::string>& values) {
  ProtoMessage attribute;
  attribute.Text(1, name).Integer(20, 8);
  for (const std::string& value : values) attribute.Text(9, value);
  return attribute;
}

/// float32, in raw_data.
inline ProtoMessage OnnxTensor(const std::string& name, const std::vector<int64_t>& dims,
                               const std::vector<float>& values) {
  ProtoMessage tensor;
  for (const int64_t dim : dims) tensor.Integer(1, dim);
  return tensor.Integer(2, 1).Text(8, name).Packed(9, values);
}
inline ProtoMessage OnnxTensor(const std::string& name, const std::vector<int64_t>& dims,
                               const std::vector<int64_t>& values) {
  ProtoMessage tensor;
  for (const int64_t dim : dims) tensor.Integer(1, dim);
  return tensor.Integer(2, 7).Text(8, name).Packed(9, values);
}

inline ProtoMessage OnnxNodeMessage(const std::string& op, const std::vector<std::string>& inputs,
                                    const std::vector<std::string>& outputs,
                                    const std::vector<ProtoMessage>& attributes = {},
                                    const std::string& domain = "") {
  ProtoMessage node;
  for (const std::string& input : inputs) node.Text(1, input);
  for (const std::string& output : outputs) node.Text(2, output);
  node.Text(3, outputs[0] + "_node").Text(4, op);
  for (const ProtoMessage& attribute : attributes) node.Message(5, attribute);
  if (!domain.empty()) node.Text(7, domain);
  return node;
}

/// float32; a size of 0 or less is open, and called "dim".
inline ProtoMessage OnnxValueInfo(const std::string& name, const std::vector<int64_t>& dims,
                                  int64_t type = 1) {
  ProtoMessage shape;
  for (const int64_t dim : dims) {
    ProtoMessage size;
    if (dim > 0)
      size.Integer(1, dim);
    else
      size.Text(2, "dim");
    shape.Message(1, size);
  }
  return ProtoMessage().Text(1, name).Message(
      2, ProtoMessage().Message(1, ProtoMessage().Integer(1, type).Message(2, shape)));
}

/// A model that tests put together.
class OnnxFile {
 public:
  explicit OnnxFile(int64_t opset = 17) : opset_(opset) {}
  OnnxFile& Input(const std::string& name, const std::vector<int64_t>& dims, int64_t type = 1) {
    graph_.Message(11, OnnxValueInfo(name, dims, type));
    return *this;
  }
  OnnxFile& Output(const std::string& name, const std::vector<int64_t>& dims = {}) {
    graph_.Message(12, OnnxValueInfo(name, dims));
    return *this;
  }
  template <class T>
  OnnxFile& Constant(const std::string& name, const std::vector<int64_t>& dims,
                     const std::vector<T>& values) {
    graph_.Message(5, OnnxTensor(name, dims, values));
    return *this;
  }
  OnnxFile& Node(const std::string& op, const std::vector<std::string>& inputs,
                 const std::vector<std::string>& outputs, const std::vector<ProtoMessage>& attributes = {},
                 const std::string& domain = "") {
    graph_.Message(1, OnnxNodeMessage(op, inputs, outputs, attributes, domain));
    return *this;
  }
  ProtoMessage& graph() { return graph_; }
  ProtoMessage& model() { return extra_; }  ///< fields behind the graph

  std::vector<uint8_t> Bytes() const {
    const std::string bytes = ProtoMessage()
                                  .Integer(1, 8)
                                  .Text(2, "a test")
                                  .Message(7, graph_)
                                  .Message(8, ProtoMessage().Integer(2, opset_))
                                  .bytes() +
                              extra_.bytes();
    return {bytes.begin(), bytes.end()};
  }

 private:
  int64_t opset_;
  ProtoMessage graph_, extra_;
};

}  // namespace qat::testing

#endif  // QAT_TESTS_SUPPORT_ONNX_FILE_H_
