#include "runtime/kernels/portable/softmax.h"

#include <algorithm>
#include <limits>

namespace qat::portable {

QuantizedSoftmax::QuantizedSoftmax(const SoftmaxScaling& scaling) {
  for (int32_t i = 0; i < 256; ++i) {
    exps_[static_cast<size_t>(i)] = reference::SoftmaxExp(scaling, -i);
    terms_[static_cast<size_t>(i)] = reference::SoftmaxTerm(exps_[static_cast<size_t>(i)]);
  }
}

template <class T>
void QuantizedSoftmax::Run(int64_t rows, int64_t depth, const T* input, T* output) const {
  constexpr int32_t kMin = std::numeric_limits<T>::min();
  for (int64_t row = 0; row < rows; ++row, input += depth, output += depth) {
    T largest = std::numeric_limits<T>::lowest();
    for (int64_t i = 0; i < depth; ++i) largest = std::max(largest, input[i]);
    int64_t sum = 0;
    for (int64_t i = 0; i < depth; ++i) sum += terms_[static_cast<size_t>(largest - input[i])];
    const reference::SoftmaxQuotient quotient(sum);
    // Quotients are worked out for the differences that occur, or, in a long row, for all.
    std::array<T, 256> quotients;
    if (depth > 256) {
      for (size_t i = 0; i < 256; ++i) quotients[i] = static_cast<T>(quotient(exps_[i]) + kMin);
    }
    for (int64_t i = 0; i < depth; ++i) {
      const auto difference = static_cast<size_t>(largest - input[i]);
      output[i] = depth > 256 ? quotients[difference] : static_cast<T>(quotient(exps_[difference]) + kMin);
    }
  }
}

template void QuantizedSoftmax::Run(int64_t, int64_t, const uint8_t*, uint8_t*) const;
template void QuantizedSoftmax::Run(int64_t, int64_t, const int8_t*, int8_t*) const;

}  // namespace qat::portable
