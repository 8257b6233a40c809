// data_flow.h: which tensors have a value when an operator runs: every operator of a file reads what
// something before it has made, and writes what nothing else has.
#ifndef QAT_MODEL_DATA_FLOW_H_
#define QAT_MODEL_DATA_FLOW_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/expected.h"

namespace qat {

/// What one operator of a file reads and writes, by tensor. Operators that this build lacks count too:
/// nothing may be prepared, not even to list what else is missing, before their outputs are known to be
/// nobody else's.
struct OperatorWires {
  std::string label;     ///< "operator 3 (LSTM)"
  bool missing = false;  ///< nothing is asked of its inputs
  std::vector<int32_t> inputs, outputs;
};

/// Values of tensors before the first operator runs.
enum class GivenValue : uint8_t {
  kNone,   ///< an operator makes it
  kState,  ///< a variable, or data outside of the file: may be read
  kFixed,  ///< a constant or an input of the model: may be read, must not be written
};

/// Requires indices below given.size(). Errors: kCorrupt, with the operator and the tensor.
Status CheckDataFlow(std::vector<GivenValue> given, std::span<const OperatorWires> operators,
                     std::span<const int32_t> model_outputs);

}  // namespace qat

#endif  // QAT_MODEL_DATA_FLOW_H_
