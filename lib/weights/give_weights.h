// give_weights.h: the trained tensors of a network as those of another framework.
#ifndef QAT_WEIGHTS_GIVE_WEIGHTS_H_
#define QAT_WEIGHTS_GIVE_WEIGHTS_H_

#include <map>
#include <string>
#include <vector>

#include "base/expected.h"
#include "checkpoint/checkpoint.h"
#include "weights/match.h"
#include "weights/weights_file.h"

namespace qat {

using NamedTensors = std::map<std::string, NamedTensor>;

/// float32, named after the layers; batch normalizations are not folded:
///   pytorch  LAYER.weight, LAYER.bias; LAYER_bn.weight, .bias, .running_mean, .running_var
///   keras    LAYER/kernel (depthwise_kernel), LAYER/bias; LAYER_bn/gamma, /beta, /moving_mean,
///            /moving_variance; LAYER/alpha
///   tflite   as in a checkpoint: LAYER/filter, LAYER/bias, LAYER/gamma, …
/// Requires  the tensors of these layers, as a checkpoint has them.
std::vector<StoredTensor> GiveWeights(const std::vector<NetworkLayer>& layers, const NamedTensors& tensors,
                                      WeightsLayout layout, bool channels_last);

struct ReturnedWeights {
  std::vector<StoredTensor> tensors;
  std::vector<std::string> added;  ///< names of biases that the other file has not
};

/// With the names, shapes and layout of another file, which is matched as for TakeWeights: what was taken
/// from it goes back. Tensors that no layer takes, and layers that the map leaves out, stay as in `like`; a
/// bias that is not there is added beside its filter. Errors: those of Match; kInvalidArgument where another
/// trained tensor has no place in `like`.
Expected<ReturnedWeights> GiveWeightsLike(const std::vector<NetworkLayer>& layers,
                                          const NamedTensors& tensors, const WeightsFile& like,
                                          const MatchOptions& options);

}  // namespace qat

#endif  // QAT_WEIGHTS_GIVE_WEIGHTS_H_
