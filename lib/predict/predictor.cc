#include "predict/predictor.h"

namespace qat {

int32_t ArgMaxOf(std::span<const float> scores) {
  size_t best = 0;
  for (size_t i = 1; i < scores.size(); ++i) {
    if (scores[i] > scores[best]) best = i;
  }
  return static_cast<int32_t>(best);
}

}  // namespace qat
