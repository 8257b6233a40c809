#include "target/target.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "base/printable.h"
#include "base/strings.h"
#include "ops/op.h"
#include "runtime/runnable_model.h"
#include "target/limits.h"

namespace qat {
namespace {

constexpr std::array<std::pair<Target, std::string_view>, 4> kNames = {
    {{Target::kTflite, "tflite"},
     {Target::kXnnpack, "xnnpack"},
     {Target::kTfliteMicro, "tflite-micro"},
     {Target::kEthosU, "ethos-u"}}};

struct Rule {
  Target target;
  OpType type;
  std::string_view types;
  Limit limit;
  std::string_view instead;
};

constexpr Rule kRules[] = {
#define QAT_TARGET_RULE(target, operation, types, limit, instead) \
  {Target::target, OpType::k##operation, types, Limit::limit, instead},
#include "target/rules.inc"
#undef QAT_TARGET_RULE
};

/// What helps where no rule says anything better.
std::string_view GeneralWayOut(Target target) {
  switch (target) {
    case Target::kTflite:
      return "use another operator";
    case Target::kXnnpack:
      return "use `target` tflite, which runs it outside of XNNPACK";
    case Target::kTfliteMicro:
      return "convert with `type` int8, or use another operator";
    case Target::kEthosU:
      return "convert with `type` int8, or use `target` tflite-micro and let the processor compute it";
  }
  return "";
}

const Rule* Find(Target target, OpType type) {
  const auto found = std::find_if(std::begin(kRules), std::end(kRules), [&](const Rule& rule) {
    return rule.target == target && rule.type == type;
  });
  return found == std::end(kRules) ? nullptr : &*found;
}

std::string_view TypeOf(const Model& model, const std::vector<int32_t>& indices, int32_t position) {
  if (position < 0 || static_cast<size_t>(position) >= indices.size() ||
      indices[static_cast<size_t>(position)] < 0)
    return "";
  const ModelTensor& tensor = model.tensors()[static_cast<size_t>(indices[static_cast<size_t>(position)])];
  return tensor.file_type == DType::kInt4 ? "int4" : NameOf(tensor.type);
}

/// As rules.inc writes them: "int8*int8", "float32>int8".
std::string TypesOf(const Model& model, const ModelNode& node) {
  const OpDefinition& definition = DefinitionOf(node.type);
  const std::string_view data = TypeOf(model, node.inputs, definition.data_input);
  std::string types(data);
  const int32_t second = node.type == OpType::kBatchMatMul ? 1 : definition.filter_input;
  const std::string_view other = TypeOf(model, node.inputs, second);
  if (!other.empty()) types += StrCat("*", other);
  const std::string_view output = TypeOf(model, node.outputs, 0);
  if (output != data) types += StrCat(">", output);
  return types;
}

std::string ForPeople(std::string types) {
  const auto replace = [&](const std::string& from, const std::string& to) {
    for (size_t at = types.find(from); at != std::string::npos; at = types.find(from, at + to.size()))
      types.replace(at, from.size(), to);
  };
  replace("*", " with ");
  replace(">", " to ");
  return types;
}

/// Nodes that only change what an input or output is made of: real numbers, normalized by constants, to
/// integers and back, as qat-convert puts them at the borders of a network of integers.
class Borders {
 public:
  explicit Borders(const Model& model) : model_(model) {
    for (size_t node = 0; node < model.nodes().size(); ++node) {
      for (const int32_t output : model.nodes()[node].outputs) made_by_[output] = node;
    }
    for (size_t node = 0; node < model.nodes().size(); ++node) {
      if (model.nodes()[node].type == OpType::kQuantize) Add(Chain(node), model.inputs(), inputs_);
    }
    for (const int32_t output : model.outputs()) {
      if (const auto made = made_by_.find(output); made != made_by_.end()) AddOutput(made->second);
    }
  }
  bool IsOfInput(size_t node) const { return inputs_.contains(node); }
  bool IsOfOutput(size_t node) const { return outputs_.contains(node); }

 private:
  struct Walk {
    std::vector<size_t> nodes;
    int32_t from = -1;  ///< what the first of them reads
  };
  const ModelTensor& tensor(int32_t index) const { return model_.tensors()[static_cast<size_t>(index)]; }

  /// What a node reads besides constants; -1: several tensors, or it is a layer with a filter.
  int32_t OnlyInput(const ModelNode& node) const {
    if (DefinitionOf(node.type).filter_input >= 0) return -1;
    int32_t only = -1;
    for (const int32_t input : node.inputs) {
      if (input < 0 || tensor(input).is_constant) continue;
      if (only >= 0) return -1;
      only = input;
    }
    return only;
  }

  /// Back over nodes of real numbers with one input each.
  Walk Chain(size_t node) const {
    Walk walk;
    while (true) {
      walk.from = OnlyInput(model_.nodes()[node]);
      if (walk.from < 0 || tensor(walk.from).type != DType::kFloat32) return {};
      walk.nodes.push_back(node);
      const auto made = made_by_.find(walk.from);
      if (made == made_by_.end()) return walk;
      node = made->second;
    }
  }

  static void Add(const Walk& walk, const std::vector<int32_t>& ends, std::set<size_t>& nodes) {
    if (std::find(ends.begin(), ends.end(), walk.from) != ends.end())
      nodes.insert(walk.nodes.begin(), walk.nodes.end());
  }

  void AddOutput(size_t node) {
    const ModelNode& last = model_.nodes()[node];
    const bool widens = last.type == OpType::kDequantize && !tensor(last.inputs[0]).is_constant;
    if (widens) outputs_.insert(node);
  }

  const Model& model_;
  std::map<int32_t, size_t> made_by_;
  std::set<size_t> inputs_, outputs_;
};

/// "int8" or "uint8", of the first layer that computes with bytes; empty: none does.
std::string_view BytesOf(const Model& model) {
  for (const ModelNode& node : model.nodes()) {
    const std::string_view type = TypeOf(model, node.outputs, 0);
    if (node.type != OpType::kQuantize && (type == "int8" || type == "uint8")) return type;
  }
  return "";
}

class Checker {
 public:
  Checker(const Model& model, Target target)
      : model_(model), target_(target), borders_(model), bytes_(BytesOf(model)) {}

  std::vector<TargetViolation> Run() {
    for (size_t place = 0; place < model_.operators().size(); ++place) {
      const ModelOperator& each = model_.operators()[place];
      if (each.node >= 0) {
        CheckNode(place, model_.nodes()[static_cast<size_t>(each.node)]);
      } else {
        Add(place, "is not known there", GeneralWayOut(target_));
      }
    }
    return std::move(violations_);
  }

 private:
  void CheckNode(size_t place, const ModelNode& node) {
    if (node.version > KernelVersion(node.type))
      Add(place,
          StrCat("has version ", node.version, ", and the latest that is known is ",
                 KernelVersion(node.type)),
          GeneralWayOut(target_));
    if (target_ == Target::kTflite) return;
    const Rule* rule = Find(target_, node.type);
    const size_t index = static_cast<size_t>(model_.operators()[place].node);
    if (rule == nullptr) {
      const bool widens = node.type == OpType::kDequantize;
      const std::string_view general = GeneralWayOut(target_);
      // No type helps an operator that no rule has.
      return Add(place, "does not run there",
                 widens                            ? WayOutOfReals(index, TypesOf(model_, node), general)
                 : target_ == Target::kTfliteMicro ? std::string("use another operator")
                                                   : std::string(general));
    }
    const std::string_view way_out = rule->instead.empty() ? GeneralWayOut(target_) : rule->instead;
    const std::string types = TypesOf(model_, node);
    std::vector<std::string> known = SplitText(std::string(rule->types), ' ');
    if (std::find(known.begin(), known.end(), types) == known.end()) {
      std::transform(known.begin(), known.end(), known.begin(), ForPeople);
      return Add(place, StrCat("takes ", Join(known), ", not ", ForPeople(types)),
                 WayOutOfReals(index, types, way_out));
    }
    if (const auto violation = Violation(rule->limit, model_, node))
      Add(place, violation->what, violation->way_out);
  }

  /// Real numbers inside or around integers: the type of the conversion was not what was wrong.
  std::string WayOutOfReals(size_t node, const std::string& types, std::string_view otherwise) const {
    const bool of_reals = types.find("float32") != std::string::npos;
    if (target_ != Target::kEthosU || !of_reals || bytes_.empty()) return std::string(otherwise);
    if (borders_.IsOfInput(node))
      return StrCat("give the model an input of integers by `input_type` ", bytes_);
    if (borders_.IsOfOutput(node))
      return StrCat("give the model an output of integers by `output_type` ", bytes_);
    return "let the layer compute integers, or use `target` tflite-micro and let the processor compute it";
  }

  void Add(size_t place, std::string what, std::string_view way_out) {
    const ModelOperator& each = model_.operators()[place];
    const bool named = !each.outputs.empty() && each.outputs[0] >= 0;
    violations_.push_back({place, named ? model_.tensors()[static_cast<size_t>(each.outputs[0])].name : "",
                           each.name, std::move(what), std::string(way_out)});
  }

  const Model& model_;
  const Target target_;
  const Borders borders_;
  const std::string_view bytes_;  ///< that the layers compute with
  std::vector<TargetViolation> violations_;
};

}  // namespace

std::optional<Target> TargetFromName(std::string_view name) {
  for (const auto& [target, text] : kNames) {
    if (text == name) return target;
  }
  return std::nullopt;
}

std::string_view NameOf(Target target) {
  const auto found =
      std::find_if(kNames.begin(), kNames.end(), [&](const auto& each) { return each.first == target; });
  QAT_CHECK(found != kNames.end());
  return found->second;
}

std::vector<std::string> TargetNames() {
  std::vector<std::string> names;
  for (const auto& [target, text] : kNames) names.emplace_back(text);
  return names;
}

std::vector<TargetViolation> CheckTarget(const Model& model, Target target) {
  return Checker(model, target).Run();
}

Status ExpectTarget(const Model& model, Target target) {
  std::vector<std::string> texts;
  for (const TargetViolation& each : CheckTarget(model, target)) {
    texts.push_back(StrCat("operator ", each.place, " ", each.operation, " ('", Printable(each.layer), "') ",
                           each.what, "; ", each.way_out));
  }
  if (texts.empty()) return {};
  const std::string_view noun =
      texts.size() == 1 ? " operator does not run on " : " operators do not run on ";
  return Unsupported(StrCat(texts.size(), noun, NameOf(target), ": ", Join(texts, ". ")));
}

}  // namespace qat
