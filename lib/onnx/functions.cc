#include "onnx/functions.h"

#include <algorithm>

#include "base/strings.h"

namespace qat::onnx {
namespace {

constexpr int kDeepest = 16;
constexpr size_t kMostNodes = 1'000'000;

class Inliner {
 public:
  Inliner(std::span<const Function> functions, const Model& model) : functions_(functions), model_(model) {}

  Status Place(const Node& node, int depth, std::vector<Node>& out) {
    const Function* function = Find(node);
    if (function == nullptr) {
      if (out.size() >= kMostNodes) return Unsupported(StrCat("has more than ", kMostNodes, " nodes"));
      out.push_back(node);
      return {};
    }
    const std::string what = StrCat("function '", function->name, "'");
    if (depth > kDeepest) return Corrupt(StrCat(what, " calls itself, or others too deep"));
    const auto opset = function->opsets.find("");
    if (opset != function->opsets.end() && opset->second != model_.opset())
      return Unsupported(StrCat(what, " is of opset ", opset->second, ", the model of ", model_.opset()));
    const std::string prefix =
        StrCat(node.name.empty() ? StrCat(function->name, "_", count_++) : node.name, "/");
    std::map<std::string, std::string> names = NamesOf(*function, node);
    for (const Node& inner : function->nodes) {
      Node placed = inner;
      placed.name = prefix + inner.name;
      for (std::string& input : placed.inputs) input = Renamed(input, prefix, names);
      for (std::string& output : placed.outputs) output = Renamed(output, prefix, names);
      SetAttributes(*function, node, placed);
      QAT_RETURN_IF_ERROR(Place(placed, depth + 1, out));
    }
    return {};
  }

 private:
  const Function* Find(const Node& node) const {
    const auto found = std::find_if(functions_.begin(), functions_.end(), [&](const Function& f) {
      return f.name == node.op && f.domain == node.domain;
    });
    return found == functions_.end() ? nullptr : &*found;
  }

  static std::map<std::string, std::string> NamesOf(const Function& function, const Node& call) {
    std::map<std::string, std::string> names;
    for (size_t i = 0; i < function.inputs.size(); ++i)
      names[function.inputs[i]] = i < call.inputs.size() ? call.inputs[i] : "";
    for (size_t i = 0; i < function.outputs.size() && i < call.outputs.size(); ++i) {
      if (!call.outputs[i].empty()) names[function.outputs[i]] = call.outputs[i];
    }
    return names;
  }

  static std::string Renamed(const std::string& name, const std::string& prefix,
                             const std::map<std::string, std::string>& names) {
    if (name.empty()) return name;
    const auto found = names.find(name);
    return found == names.end() ? prefix + name : found->second;
  }

  static void SetAttributes(const Function& function, const Node& call, Node& placed) {
    std::vector<Attribute> kept;
    for (Attribute& attribute : placed.attributes) {
      if (attribute.refers_to.empty()) {
        kept.push_back(std::move(attribute));
        continue;
      }
      const Attribute* given = call.Find(attribute.refers_to);
      for (const Attribute& each : function.defaults) {
        if (given == nullptr && each.name == attribute.refers_to) given = &each;
      }
      if (given == nullptr) continue;  // left out, as by the caller
      Attribute value = *given;
      value.name = attribute.name;
      kept.push_back(std::move(value));
    }
    placed.attributes = std::move(kept);
  }

  std::span<const Function> functions_;
  const Model& model_;
  size_t count_ = 0;
};

}  // namespace

Status InlineFunctions(std::span<const Function> functions, Model& model) {
  if (functions.empty()) return {};
  std::vector<Node> nodes;
  Inliner inliner(functions, model);
  for (const Node& node : model.graph.nodes) QAT_RETURN_IF_ERROR(inliner.Place(node, 0, nodes));
  model.graph.nodes = std::move(nodes);
  return {};
}

}  // namespace qat::onnx
