#include <algorithm>
#include <map>
#include <memory>

#include "base/strings.h"
#include "inspect/readers.h"
#include "onnx/onnx_model.h"

namespace qat {
namespace {

std::string TextOf(const onnx::Attribute& attribute) {
  using Kind = onnx::Attribute::Kind;
  std::vector<std::string> texts;
  switch (attribute.kind) {
    case Kind::kInt:
      return StrCat(attribute.name, " ", attribute.integer);
    case Kind::kFloat:
      return StrCat(attribute.name, " ", attribute.real);
    case Kind::kString:
      return StrCat(attribute.name, " ", attribute.text);
    case Kind::kInts:
      for (const int64_t value : attribute.integers) texts.push_back(std::to_string(value));
      return StrCat(attribute.name, " [", Join(texts), "]");
    case Kind::kFloats:
      for (const float value : attribute.reals) texts.push_back(NumberText(value));
      return StrCat(attribute.name, " [", Join(texts), "]");
    case Kind::kTensor:
      if (attribute.tensor == nullptr) return StrCat(attribute.name, " without a value");
      return StrCat(attribute.name, " of ", attribute.tensor->size(), " values");
    default:
      return StrCat(attribute.name, " (…)");
  }
}

/// Sizes that are open as 1; sizes of constants as they are.
Shape ShapeOf(const std::vector<int64_t>& dims) {
  Shape shape;
  for (const int64_t size : dims)
    shape.push_back(size < 0 ? 1 : static_cast<int32_t>(std::min<int64_t>(size, 1 << 30)));
  return shape;
}

class OnnxReader {
 public:
  explicit OnnxReader(std::shared_ptr<const onnx::Model> model) : model_(std::move(model)) {}

  Inspection Run() {
    const onnx::Graph& graph = model_->graph;
    found_.kind = "onnx";
    found_.made_by = model_->producer.empty() ? "" : StrCat(model_->producer, " ", model_->producer_version);
    for (const onnx::Tensor& tensor : graph.initializers) AddConstant(tensor);
    for (const onnx::ValueInfo& input : graph.inputs) {
      if (places_.count(input.name) == 0) found_.inputs.push_back(AddValue(input));
    }
    std::map<std::string, const onnx::ValueInfo*> outputs;
    for (const onnx::ValueInfo& output : graph.outputs) outputs[output.name] = &output;
    for (const onnx::Node& node : graph.nodes) AddNode(node, outputs);
    for (const onnx::ValueInfo& output : graph.outputs)
      found_.outputs.push_back(places_.count(output.name) > 0 ? places_[output.name] : AddValue(output));
    found_.facts = {{"name", graph.name}, {"IR version", std::to_string(model_->ir_version)}};
    for (const auto& [domain, version] : model_->opsets)
      found_.facts.emplace_back("opset",
                                domain.empty() ? std::to_string(version) : StrCat(version, " of ", domain));
    for (const auto& [key, value] : model_->metadata) found_.metadata.emplace_back(key, value);
    found_.owner = model_;
    return std::move(found_);
  }

 private:
  int32_t Add(InspectedTensor tensor) {
    places_[tensor.name] = static_cast<int32_t>(found_.tensors.size());
    found_.tensors.push_back(std::move(tensor));
    return static_cast<int32_t>(found_.tensors.size()) - 1;
  }

  void AddConstant(const onnx::Tensor& source) {
    InspectedTensor tensor;
    tensor.name = source.name;
    tensor.shape = ShapeOf(source.dims);
    tensor.constant = true;
    const bool real = onnx::IsReal(source.type);
    tensor.type = real ? "float32" : NameOf(source.type);
    if (real)
      tensor.data = {reinterpret_cast<const uint8_t*>(source.reals.data()),
                     source.reals.size() * sizeof(float)};
    if (source.type == onnx::ElementType::kInt64)
      tensor.data = {reinterpret_cast<const uint8_t*>(source.integers.data()),
                     source.integers.size() * sizeof(int64_t)};
    tensor.bytes = static_cast<int64_t>(tensor.data.size());
    Add(std::move(tensor));
  }

  int32_t AddValue(const onnx::ValueInfo& value) {
    InspectedTensor tensor;
    tensor.name = value.name;
    tensor.type = NameOf(value.type);
    tensor.shape = ShapeOf(value.dims);
    tensor.open = std::find(value.dims.begin(), value.dims.end(), -1) != value.dims.end();
    return Add(std::move(tensor));
  }

  void AddNode(const onnx::Node& node, const std::map<std::string, const onnx::ValueInfo*>& outputs) {
    InspectedOperator each;
    each.name = node.domain.empty() ? node.op : StrCat(node.domain, ".", node.op);
    each.layer = node.name;
    std::vector<std::string> attributes;
    for (const onnx::Attribute& attribute : node.attributes) attributes.push_back(TextOf(attribute));
    each.attributes = Join(attributes);
    for (const std::string& input : node.inputs)
      each.inputs.push_back(places_.count(input) > 0 ? places_[input] : -1);
    for (const std::string& output : node.outputs) {
      if (output.empty()) continue;
      const auto known = outputs.find(output);
      InspectedTensor tensor;
      tensor.name = output;
      each.outputs.push_back(known == outputs.end() ? Add(std::move(tensor)) : AddValue(*known->second));
    }
    found_.operators.push_back(std::move(each));
  }

  std::shared_ptr<const onnx::Model> model_;
  Inspection found_;
  std::map<std::string, int32_t> places_;  // of tensors, by name
};

}  // namespace

Expected<Inspection> InspectOnnx(Bytes bytes, const std::string& path) {
  QAT_ASSIGN_OR_RETURN(onnx::Model model, onnx::ParseModel(bytes, path));
  return OnnxReader(std::make_shared<const onnx::Model>(std::move(model))).Run();
}

}  // namespace qat
