// leftovers.h: what a matching leaves over, on either side.
#ifndef QAT_WEIGHTS_LEFTOVERS_H_
#define QAT_WEIGHTS_LEFTOVERS_H_

#include <string>
#include <vector>

#include "weights/match.h"

namespace qat {

/// Tensors of the file that no layer takes, counters apart.
std::vector<int32_t> UnusedTensors(const WeightsFile& file, const Matching& matching);

/// Errors: kInvalidArgument listing all layers that found nothing and the tensors that could be theirs, with
/// the way out.
Status RefuseUnfilled(const std::vector<NetworkLayer>& layers, const WeightsFile& file,
                      const Matching& matching, WeightsLayout layout);

/// "fc.weight [10, 84]".
std::string WithShape(const WeightsFile& file, int32_t tensor);

/// "a, b, c and 4 more".
std::string ListText(const std::vector<std::string>& items);

}  // namespace qat

#endif  // QAT_WEIGHTS_LEFTOVERS_H_
