// folded_batch_norm.h: a batch normalization that an import folded into a filter, kept so that it can be
// taken apart again for training.
#ifndef QAT_IR_FOLDED_BATCH_NORM_H_
#define QAT_IR_FOLDED_BATCH_NORM_H_

#include <string>
#include <vector>

namespace qat {

/// One value for each output channel. The bias of the layer, where it had one, is in `mean` already: mean -
/// bias.
struct FoldedBatchNorm {
  std::string filter_name;    ///< the constant that it was folded into
  std::vector<float> filter;  ///< what that held before, as many values
  std::vector<float> gamma, beta, mean, variance;
  float epsilon = 1e-5f;
  float momentum = 0.9f;  ///< as FusedBatchNorm has it: what stays of the moving averages
};

}  // namespace qat

#endif  // QAT_IR_FOLDED_BATCH_NORM_H_
