#include "target/target.h"

#include <algorithm>
#include <array>
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

class Checker {
 public:
  Checker(const Model& model, Target target) : model_(model), target_(target) {}

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
    if (rule == nullptr) return Add(place, "does not run there", GeneralWayOut(target_));
    const std::string_view way_out = rule->instead.empty() ? GeneralWayOut(target_) : rule->instead;
    const std::string types = TypesOf(model_, node);
    std::vector<std::string> known = SplitText(std::string(rule->types), ' ');
    if (std::find(known.begin(), known.end(), types) == known.end()) {
      std::transform(known.begin(), known.end(), known.begin(), ForPeople);
      return Add(place, StrCat("takes ", Join(known), ", not ", ForPeople(types)), way_out);
    }
    if (const auto violation = Violation(rule->limit, model_, node))
      Add(place, violation->what, violation->way_out);
  }

  void Add(size_t place, std::string what, std::string_view way_out) {
    const ModelOperator& each = model_.operators()[place];
    const bool named = !each.outputs.empty() && each.outputs[0] >= 0;
    violations_.push_back({place, named ? model_.tensors()[static_cast<size_t>(each.outputs[0])].name : "",
                           each.name, std::move(what), std::string(way_out)});
  }

  const Model& model_;
  const Target target_;
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
