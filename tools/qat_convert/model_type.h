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

/// Without --type: as the plan says, else what the network was trained for. Errors: kInvalidArgument.
Expected<ModelType> ParseType(const ConvertFlags& flags, const Graph& graph,
                              const std::optional<PlanChoices>& plan);

/// --input-stats and --default-range, the names of TensorFlow's classic converters included. Errors: kInvalidArgument.
Expected<QuantizationOptions> ParseQuantization(const ConvertFlags& flags, const ModelType& type);

}  // namespace qat

#endif  // QAT_TOOLS_QAT_CONVERT_MODEL_TYPE_H_
