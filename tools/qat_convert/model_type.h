// model_type.h: what the flags say of the model to write: the type of its values, and how it is quantized.
#ifndef QAT_TOOLS_QAT_CONVERT_MODEL_TYPE_H_
#define QAT_TOOLS_QAT_CONVERT_MODEL_TYPE_H_

#include <optional>
#include <string_view>

#include "base/expected.h"
#include "flags.h"
#include "ir/graph.h"
#include "passes/passes.h"
#include "plan/plan_file.h"
#include "quant/precision.h"
#include "quant/scheme.h"

namespace qat {

/// What --type says: the values of activations, those of filters, and how a real network stores its weights.
struct ModelType {
  Precisions precisions = PrecisionsOf(Scheme::kUInt8);
  WeightStorage weights = WeightStorage::kFloat32;

  bool is_real() const { return precisions.activations.type == DType::kFloat32; }
};

/// As --type names it.
std::string_view NameOf(const ModelType& type);

/// As flags and plan say; nothing where the network decides. Errors: kInvalidArgument.
Expected<std::optional<ModelType>> ParseType(const ConvertFlags& flags, const std::optional<PlanChoices>& plan);

/// Where neither flags nor a plan say it: integers where there are ranges, else what the network was trained for.
ModelType TypeOf(const ConvertFlags& flags, const Graph& graph);

/// --input-stats and --default-range, the names of TensorFlow's classic converters included; the rest is left as it is. Errors:
/// kInvalidArgument.
Expected<QuantizationOptions> ParseQuantization(const ConvertFlags& flags);

}  // namespace qat

#endif  // QAT_TOOLS_QAT_CONVERT_MODEL_TYPE_H_
