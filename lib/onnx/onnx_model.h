// onnx_model.h: an .onnx file as nodes, tensors and inputs, every size and reference checked. It asks no
// operator anything: what a node means is the importer's business. Field numbers and meanings:
// onnx/onnx.proto, as of IR version 13.
#ifndef QAT_ONNX_ONNX_MODEL_H_
#define QAT_ONNX_ONNX_MODEL_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/expected.h"
#include "base/file.h"

namespace qat::onnx {

/// TensorProto.DataType.
enum class ElementType : int32_t {
  kUndefined = 0,
  kFloat = 1,
  kUInt8 = 2,
  kInt8 = 3,
  kUInt16 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kString = 8,
  kBool = 9,
  kFloat16 = 10,
  kDouble = 11,
  kUInt32 = 12,
  kUInt64 = 13,
  kBFloat16 = 16,
};

/// "float32", "int64", …; "type 21" for what is not listed above.
std::string NameOf(ElementType type);
bool IsReal(ElementType type);     ///< float, float16, bfloat16, double
bool IsInteger(ElementType type);  ///< of 8 to 64 bits, with or without a sign; not bool

/// Values of a constant, decoded: reals as float32 (doubles rounded), integers and truth values as int64.
/// Texts occur among initializers only.
struct Tensor {
  std::string name;
  ElementType type = ElementType::kUndefined;
  std::vector<int64_t> dims;  ///< empty: one value
  std::vector<float> reals;   ///< of a real type
  std::vector<int64_t> integers;
  std::vector<std::string> texts;  ///< of kString
  int64_t size() const;            ///< the product of dims
};

struct Graph;

struct Attribute {
  enum class Kind : int32_t {
    kNone = 0,
    kFloat = 1,
    kInt = 2,
    kString = 3,
    kTensor = 4,
    kGraph = 5,
    kFloats = 6,
    kInts = 7,
    kStrings = 8
  };
  std::string name;
  Kind kind = Kind::kNone;  ///< kNone: of a kind that is not read here, such as lists of tensors
  float real = 0;
  int64_t integer = 0;
  std::string text;
  std::vector<float> reals;
  std::vector<int64_t> integers;
  std::vector<std::string> texts;
  std::shared_ptr<const Tensor> tensor;
  std::shared_ptr<const Graph> graph;
  std::string refers_to;  ///< in a function: the attribute of the caller
};

struct Node {
  std::string name, op, domain;              ///< domain "": ONNX's own operators ("ai.onnx" reads as "")
  std::vector<std::string> inputs, outputs;  ///< "": left out
  std::vector<Attribute> attributes;
  const Attribute* Find(std::string_view attribute) const;
};

struct ValueInfo {
  std::string name;
  ElementType type = ElementType::kUndefined;
  bool is_tensor = true;  ///< false: a sequence, map or optional
  bool has_shape = false;
  std::vector<int64_t> dims;         ///< -1: open
  std::vector<std::string> symbols;  ///< "batch" where a size is open and has a name
};

struct Graph {
  std::string name;
  std::vector<Node> nodes;  ///< in execution order
  std::vector<Tensor> initializers;
  std::vector<std::string> sparse;  ///< names of sparse initializers, which are not read
  std::vector<ValueInfo> inputs, outputs;
};

/// A model with its functions put in place of the nodes that call them.
struct Model {
  std::string source;  ///< path, for messages
  int64_t ir_version = 0;
  std::string producer, producer_version;
  std::map<std::string, int64_t> opsets;  ///< by domain; "" is ONNX's own
  std::map<std::string, std::string> metadata;
  std::string sha256;  ///< of the file
  Graph graph;

  int64_t opset() const;  ///< of ONNX's own operators; 0: none is said
};

/// Whether the first bytes look like a ModelProto.
bool LooksLikeModel(std::span<const uint8_t> bytes);

/// Reads a file. Values in files of their own are read from the folder of `path`, and from nowhere else: no
/// absolute paths, no "..", no links that lead out of it.
/// Errors: kCorrupt (no ONNX model, truncated, sizes that contradict each other, nodes that read what nothing
/// computes), kUnsupported (4 GiB and more, types of tensors without a number of bits that computers have),
/// those of reading. All begin with the path.
Expected<Model> ReadModel(const std::string& path);
Expected<Model> ParseModel(std::span<const uint8_t> bytes, const std::string& path);

}  // namespace qat::onnx

#endif  // QAT_ONNX_ONNX_MODEL_H_
