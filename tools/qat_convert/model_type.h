// model_type.h: what the flags say of the model to write: the type of its values, and how it is quantized.
#ifndef QAT_TOOLS_QAT_CONVERT_MODEL_TYPE_H_
#define QAT_TOOLS_QAT_CONVERT_MODEL_TYPE_H_

#include <optional>

#include "base/expected.h"
#include "convert/model_type.h"
#include "flags.h"
#include "import/read_network.h"
#include "plan/plan_file.h"

namespace qat {

/// As flags and plan say; nothing where the network decides. Errors: kInvalidArgument.
Expected<std::optional<ModelType>> ParseType(const ConvertFlags& flags,
                                             const std::optional<PlanChoices>& plan);

/// Where neither flags nor a plan say it: integers where there are ranges, else what the network was trained
/// for, with weights as a finished model stores them.
ModelType TypeOf(const ConvertFlags& flags, const ReadNetworkResult& network);

/// --input-stats and --default-range, the names of TensorFlow's classic converters included; the rest is left
/// as it is. Errors:
/// kInvalidArgument.
Expected<QuantizationOptions> ParseQuantization(const ConvertFlags& flags);

}  // namespace qat

#endif  // QAT_TOOLS_QAT_CONVERT_MODEL_TYPE_H_
