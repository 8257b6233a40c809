// onnx_recurrent_activations.h: the activations of RNN, GRU and LSTM, by the names that ONNX gives them. For
// .cc files of lib/import only.
#ifndef QAT_IMPORT_ONNX_RECURRENT_ACTIVATIONS_H_
#define QAT_IMPORT_ONNX_RECURRENT_ACTIVATIONS_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"
#include "import/onnx_convert.h"

namespace qat {

/// The numbers are its `alpha` and `beta`, where it has them.
struct RecurrentActivation {
  std::string_view name;
  int numbers;
  float alpha, beta;
};

/// As many for each direction as `usual` names; `alpha` and `beta` are used up in their order by those that
/// have them.
/// Errors: kInvalidArgument (another number of them), kUnsupported (unknown ones, and those without a number
/// whose default is not the same everywhere).
Expected<std::vector<RecurrentActivation>> ReadActivations(const OnnxNode& node,
                                                           const std::vector<std::string>& usual,
                                                           int32_t directions);

/// The activation of x, within [-limit, limit] before where `limit` is above 0.
Expected<OnnxValue> Apply(const RecurrentActivation& activation, float limit, OnnxValue x, OnnxConversion& c,
                          int64_t opset);

}  // namespace qat

#endif  // QAT_IMPORT_ONNX_RECURRENT_ACTIVATIONS_H_
