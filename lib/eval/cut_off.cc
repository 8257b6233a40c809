#include "eval/cut_off.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/strings.h"
#include "data/sample.h"
#include "quant/precision.h"
#include "report/text_format.h"

namespace qat {
namespace {

bool Normalizes(OpType type) { return type == OpType::kSub || type == OpType::kMul; }

bool OnlyMoves(OpType type) {
  return type == OpType::kReshape || type == OpType::kTranspose || type == OpType::kExpandDims ||
         type == OpType::kSqueeze;
}

std::optional<Range> IntegersOf(const ModelTensor& tensor) {
  const bool integers =
      tensor.type == DType::kUInt8 || tensor.type == DType::kInt8 || tensor.type == DType::kInt16;
  if (!integers || tensor.scale.size() != 1 || tensor.zero_point.size() != 1) return std::nullopt;
  const QuantizationParams params = {tensor.scale[0], static_cast<int32_t>(tensor.zero_point[0])};
  return RepresentableRange(params, LimitsOf(ActivationsOf(tensor.type)));
}

// Of an input, or of what it becomes first: behind a QUANTIZE, and the model's own normalization before that.
std::optional<Range> RangeTaken(const Model& model, size_t position, bool inside) {
  int32_t tensor = model.inputs()[position];
  for (const ModelNode& node : model.nodes()) {
    if (const auto own = IntegersOf(model.tensors()[static_cast<size_t>(tensor)])) return own;
    if (std::find(node.inputs.begin(), node.inputs.end(), tensor) == node.inputs.end()) continue;
    const bool passes =
        node.type == OpType::kQuantize || OnlyMoves(node.type) || (inside && Normalizes(node.type));
    if (!passes) return std::nullopt;
    tensor = node.outputs[0];
  }
  return IntegersOf(model.tensors()[static_cast<size_t>(tensor)]);
}

// Values that lie beyond, as a share. Half a step of 8 bits is rounding.
Expected<double> ShareBeyond(const Dataset& dataset, size_t position, InputContract input, Range range) {
  input.inside = false;  // whoever normalizes, it is normalized
  const RealTable none = MakeRealTable(input);
  std::vector<float> values(static_cast<size_t>(input.ValueCount()));
  const float half_step = (range.max - range.min) / 510;
  int64_t beyond = 0, all = 0;
  QAT_RETURN_IF_ERROR(ForSomeExamples(dataset, position, [&](std::span<const uint8_t> example) {
    ToReal(input, none, example, values);
    all += std::ssize(values);
    beyond += std::count_if(values.begin(), values.end(), [&](float value) {
      return value < range.min - half_step || value > range.max + half_step;
    });
  }));
  return static_cast<double>(beyond) / static_cast<double>(all);
}

}  // namespace

Expected<std::vector<std::string>> DescribeCutOff(const Model& model, const std::string& name,
                                                  const Contract& contract, const Dataset& dataset) {
  std::vector<std::string> sentences;
  for (size_t i = 0; i < contract.inputs.size() && i < model.inputs().size(); ++i) {
    const InputContract& input = contract.inputs[i];
    if (input.values != ValueType::kReal) continue;
    const std::optional<Range> range = RangeTaken(model, i, input.inside);
    if (!range) continue;
    QAT_ASSIGN_OR_RETURN(const double share, ShareBeyond(dataset, i, input, *range));
    if (share <= kMuchCutOff) continue;
    sentences.push_back(StrCat(name, ": ", Significant(100 * share), " % of the values of the ",
                               input.name.empty() ? std::string("input") : StrCat("input '", input.name, "'"),
                               " lie beyond what its integers reach (", Significant(range->min), " to ",
                               Significant(range->max),
                               ", normalized) and are cut off; train or calibrate with examples that reach "
                               "as far, or give the input "
                               "another range in a plan (`write_plan`, `plan`)"));
  }
  return sentences;
}

}  // namespace qat
