#include "onnx/onnx_model.h"

#include <set>

#include "base/file_kind.h"
#include "base/hash.h"
#include "base/strings.h"
#include "onnx/functions.h"
#include "onnx/tensor_values.h"
#include "onnx/wire.h"

namespace qat::onnx {
namespace {

constexpr int kDeepest = 8;  // graphs in attributes of nodes in graphs
constexpr uint64_t kLargestModel = uint64_t{4} << 30;
constexpr int64_t kLargestSize = (int64_t{1} << 31) - 1;

/// Calls `each` with every field of a message.
template <class Each>
Status ForFields(std::span<const uint8_t> message, Each each) {
  WireReader reader(message);
  WireField field;
  while (true) {
    QAT_ASSIGN_OR_RETURN(const bool more, reader.Next(field));
    if (!more) return {};
    QAT_RETURN_IF_ERROR(each(field));
  }
}

std::string Domain(std::string name) { return name == "ai.onnx" ? std::string() : name; }

class Parser {
 public:
  explicit Parser(const std::string& path) : files_(path) {}

  Status ReadModelFields(std::span<const uint8_t> bytes, Model& model) {
    bool has_graph = false;
    QAT_RETURN_IF_ERROR(ForFields(bytes, [&](const WireField& field) -> Status {
      switch (field.number) {
        case 1:
          model.ir_version = field.integer();
          return {};
        case 2:
          model.producer = field.text();
          return {};
        case 3:
          model.producer_version = field.text();
          return {};
        case 7:
          has_graph = true;
          return ReadGraph(field.bytes, 0, model.graph);
        case 8:
          return ReadOpset(field.bytes, model.opsets);
        case 14:
          return ReadMetadata(field.bytes, model.metadata);
        case 25:
          return ReadFunction(field.bytes);
        default:
          return {};
      }
    }));
    if (!has_graph) return Corrupt("is no ONNX model, or one without a graph");
    return InlineFunctions(functions_, model);
  }

 private:
  Status ReadOpset(std::span<const uint8_t> bytes, std::map<std::string, int64_t>& opsets) {
    std::string domain;
    int64_t version = 0;
    QAT_RETURN_IF_ERROR(ForFields(bytes, [&](const WireField& field) -> Status {
      if (field.number == 1) domain = field.text();
      if (field.number == 2) version = field.integer();
      return {};
    }));
    opsets[Domain(domain)] = version;
    return {};
  }

  Status ReadMetadata(std::span<const uint8_t> bytes, std::map<std::string, std::string>& metadata) {
    std::string key, value;
    QAT_RETURN_IF_ERROR(ForFields(bytes, [&](const WireField& field) -> Status {
      if (field.number == 1) key = field.text();
      if (field.number == 2) value = field.text();
      return {};
    }));
    metadata[key] = value;
    return {};
  }

  Status ReadGraph(std::span<const uint8_t> bytes, int depth, Graph& graph) {
    if (depth > kDeepest) return Corrupt(StrCat("graphs lie in each other more than ", kDeepest, " deep"));
    return ForFields(bytes, [&](const WireField& field) -> Status {
      switch (field.number) {
        case 1:
          return ReadNode(field.bytes, depth, graph.nodes.emplace_back());
        case 2:
          graph.name = field.text();
          return {};
        case 5: {
          QAT_ASSIGN_OR_RETURN(Tensor tensor, ReadTensor(field.bytes, files_));
          graph.initializers.push_back(std::move(tensor));
          return {};
        }
        case 11:
          return ReadValueInfo(field.bytes, graph.inputs.emplace_back());
        case 12:
          return ReadValueInfo(field.bytes, graph.outputs.emplace_back());
        case 15:
          return ReadSparse(field.bytes, graph.sparse);
        default:
          return {};
      }
    });
  }

  // SparseTensorProto: values (1), whose name it goes by.
  static Status ReadSparse(std::span<const uint8_t> bytes, std::vector<std::string>& names) {
    names.emplace_back();
    return ForFields(bytes, [&](const WireField& field) -> Status {
      if (field.number != 1) return {};
      return ForFields(field.bytes, [&](const WireField& inner) -> Status {
        if (inner.number == 8) names.back() = inner.text();
        return {};
      });
    });
  }

  Status ReadNode(std::span<const uint8_t> bytes, int depth, Node& node) {
    return ForFields(bytes, [&](const WireField& field) -> Status {
      switch (field.number) {
        case 1:
          node.inputs.push_back(field.text());
          return {};
        case 2:
          node.outputs.push_back(field.text());
          return {};
        case 3:
          node.name = field.text();
          return {};
        case 4:
          node.op = field.text();
          return {};
        case 5:
          QAT_RETURN_IF_ERROR_IN(StrCat("node '", node.name, "'"),
                                 ReadAttribute(field.bytes, depth, node.attributes.emplace_back()));
          return {};
        case 7:
          node.domain = Domain(field.text());
          return {};
        default:
          return {};
      }
    });
  }

  Status ReadAttribute(std::span<const uint8_t> bytes, int depth, Attribute& attribute) {
    int64_t type = 0;
    QAT_RETURN_IF_ERROR(ForFields(
        bytes, [&](const WireField& field) { return ReadAttributeField(field, depth, attribute, type); }));
    using Kind = Attribute::Kind;
    // IR versions before 2 had no type: what is there says it.
    if (type == 0 && attribute.tensor) type = static_cast<int64_t>(Kind::kTensor);
    attribute.kind = type >= 1 && type <= 8 ? static_cast<Kind>(type) : Kind::kNone;
    if (attribute.kind == Kind::kTensor && !attribute.tensor && attribute.refers_to.empty())
      return Corrupt(StrCat("attribute '", attribute.name, "' says that it is a tensor and has none"));
    if (attribute.kind == Kind::kGraph && !attribute.graph && attribute.refers_to.empty())
      return Corrupt(StrCat("attribute '", attribute.name, "' says that it is a graph and has none"));
    return {};
  }

  Status ReadAttributeField(const WireField& field, int depth, Attribute& attribute, int64_t& type) {
    switch (field.number) {
      case 1:
        attribute.name = field.text();
        return {};
      case 2:
        attribute.real = field.real();
        return {};
      case 3:
        attribute.integer = field.integer();
        return {};
      case 4:
        attribute.text = field.text();
        return {};
      case 5: {
        QAT_ASSIGN_OR_RETURN(Tensor tensor, ReadTensor(field.bytes, files_));
        if (tensor.type == ElementType::kString)
          return Unsupported(StrCat("attribute '", attribute.name, "' is of string, expected numbers"));
        attribute.tensor = std::make_shared<const Tensor>(std::move(tensor));
        return {};
      }
      case 6: {
        auto graph = std::make_shared<Graph>();
        QAT_RETURN_IF_ERROR(ReadGraph(field.bytes, depth + 1, *graph));
        attribute.graph = std::move(graph);
        return {};
      }
      case 7:
        return AppendFloats(field, attribute.reals);
      case 8:
        return AppendIntegers(field, attribute.integers);
      case 9:
        attribute.texts.push_back(field.text());
        return {};
      case 20:
        type = field.integer();
        return {};
      case 21:
        attribute.refers_to = field.text();
        return {};
      default:
        return {};
    }
  }

  static Status ReadValueInfo(std::span<const uint8_t> bytes, ValueInfo& info) {
    return ForFields(bytes, [&](const WireField& field) -> Status {
      if (field.number == 1) info.name = field.text();
      if (field.number != 2) return {};
      info.is_tensor = false;
      return ForFields(field.bytes, [&](const WireField& type) -> Status {
        if (type.number != 1) return {};
        info.is_tensor = true;
        return ForFields(type.bytes, [&](const WireField& tensor) -> Status {
          if (tensor.number == 1) info.type = static_cast<ElementType>(tensor.integer());
          if (tensor.number != 2) return {};
          info.has_shape = true;
          return ForFields(tensor.bytes, [&](const WireField& dim) {
            return dim.number == 1 ? ReadDim(dim.bytes, info) : Status();
          });
        });
      });
    });
  }

  static Status ReadDim(std::span<const uint8_t> bytes, ValueInfo& info) {
    info.dims.push_back(-1);
    info.symbols.emplace_back();
    QAT_RETURN_IF_ERROR(ForFields(bytes, [&](const WireField& field) -> Status {
      if (field.number == 1) info.dims.back() = field.integer();
      if (field.number == 2) info.symbols.back() = field.text();
      return {};
    }));
    if (info.dims.back() < -1 || info.dims.back() > kLargestSize)
      return Corrupt(StrCat("'", info.name, "' has a size of ", info.dims.back()));
    return {};
  }

  Status ReadFunction(std::span<const uint8_t> bytes) {
    Function function;
    QAT_RETURN_IF_ERROR(ForFields(bytes, [&](const WireField& field) -> Status {
      switch (field.number) {
        case 1:
          function.name = field.text();
          return {};
        case 4:
          function.inputs.push_back(field.text());
          return {};
        case 5:
          function.outputs.push_back(field.text());
          return {};
        case 7:
          return ReadNode(field.bytes, 0, function.nodes.emplace_back());
        case 9:
          return ReadOpset(field.bytes, function.opsets);
        case 10:
          function.domain = Domain(field.text());
          return {};
        case 11:
          return ReadAttribute(field.bytes, 0, function.defaults.emplace_back());
        default:
          return {};
      }
    }));
    functions_.push_back(std::move(function));
    return {};
  }

  ExternalFiles files_;
  std::vector<Function> functions_;
};

/// Every name is written once and before it is read.
Status CheckOrder(const Graph& graph) {
  std::set<std::string_view> known;
  for (const Tensor& tensor : graph.initializers) {
    if (tensor.name.empty()) return Corrupt("an initializer has no name");
    if (!known.insert(tensor.name).second)
      return Corrupt(StrCat("initializer '", tensor.name, "' is there twice"));
  }
  for (const std::string& name : graph.sparse) known.insert(name);
  for (const ValueInfo& input : graph.inputs) known.insert(input.name);
  for (const Node& node : graph.nodes) {
    for (const std::string& input : node.inputs) {
      if (!input.empty() && known.count(input) == 0)
        return Corrupt(StrCat("node '", node.name, "' (", node.op, ") reads '", input,
                              "', which nothing before it computes"));
    }
    for (const std::string& output : node.outputs) {
      if (!output.empty() && !known.insert(output).second)
        return Corrupt(StrCat("node '", node.name, "' (", node.op, ") writes '", output,
                              "', which has a value already"));
    }
  }
  for (const ValueInfo& output : graph.outputs) {
    if (known.count(output.name) == 0)
      return Corrupt(StrCat("output '", output.name, "' is computed by no node"));
  }
  if (graph.outputs.empty()) return Corrupt("has no output");
  return {};
}

}  // namespace

std::string NameOf(ElementType type) {
  switch (type) {
    case ElementType::kFloat:
      return "float32";
    case ElementType::kUInt8:
      return "uint8";
    case ElementType::kInt8:
      return "int8";
    case ElementType::kUInt16:
      return "uint16";
    case ElementType::kInt16:
      return "int16";
    case ElementType::kInt32:
      return "int32";
    case ElementType::kInt64:
      return "int64";
    case ElementType::kString:
      return "string";
    case ElementType::kBool:
      return "bool";
    case ElementType::kFloat16:
      return "float16";
    case ElementType::kDouble:
      return "float64";
    case ElementType::kUInt32:
      return "uint32";
    case ElementType::kUInt64:
      return "uint64";
    case ElementType::kBFloat16:
      return "bfloat16";
    default:
      return StrCat("type ", static_cast<int32_t>(type));
  }
}

bool IsReal(ElementType type) {
  return type == ElementType::kFloat || type == ElementType::kFloat16 || type == ElementType::kBFloat16 ||
         type == ElementType::kDouble;
}

bool IsInteger(ElementType type) {
  return type == ElementType::kUInt8 || type == ElementType::kInt8 || type == ElementType::kUInt16 ||
         type == ElementType::kInt16 || type == ElementType::kInt32 || type == ElementType::kInt64 ||
         type == ElementType::kUInt32 || type == ElementType::kUInt64;
}

int64_t Tensor::size() const {
  int64_t count = 1;
  for (const int64_t dim : dims) count *= dim;
  return count;
}

const Attribute* Node::Find(std::string_view attribute) const {
  for (const Attribute& each : attributes) {
    if (each.name == attribute) return &each;
  }
  return nullptr;
}

int64_t Model::opset() const {
  const auto found = opsets.find("");
  return found == opsets.end() ? 0 : found->second;
}

bool LooksLikeModel(std::span<const uint8_t> bytes) { return DescribeKind(bytes) == "an ONNX model"; }

Expected<Model> ParseModel(std::span<const uint8_t> bytes, const std::string& path) {
  Model model;
  model.source = path;
  QAT_RETURN_IF_ERROR_IN(path, Parser(path).ReadModelFields(bytes, model));
  QAT_RETURN_IF_ERROR_IN(path, CheckOrder(model.graph));
  model.sha256 = Sha256(bytes);
  return model;
}

Expected<Model> ReadModel(const std::string& path) {
  QAT_ASSIGN_OR_RETURN(const Bytes bytes, ReadFile(path, kLargestModel));
  return ParseModel(bytes, path);
}

}  // namespace qat::onnx
