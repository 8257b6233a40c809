#include "predict/predictor.h"

#include <algorithm>

#include "base/check.h"

namespace qat {

int32_t ArgMaxOf(std::span<const float> scores) {
  QAT_CHECK(!scores.empty());
  return static_cast<int32_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
}

}  // namespace qat
