// strided_copy.h: an output whose every axis walks over the input in steps of its own: slices and transposes.
#ifndef QAT_RUNTIME_KERNELS_REFERENCE_STRIDED_COPY_H_
#define QAT_RUNTIME_KERNELS_REFERENCE_STRIDED_COPY_H_

#include <cstdint>
#include <cstring>
#include <vector>

namespace qat::reference {

struct StridedView {
  int64_t first = 0;           ///< byte of the input that the first element of the output is
  std::vector<int64_t> sizes;  ///< of the output, at most eight
  std::vector<int64_t> steps;  ///< bytes in the input from one index of an axis to the next; may be negative
  int64_t element = 1;         ///< bytes
};

/// Copies view.sizes elements in row-major order; returns where the output ends.
inline uint8_t* CopyView(const StridedView& view, size_t axis, const uint8_t* input, uint8_t* output) {
  if (axis == view.sizes.size()) {
    std::memcpy(output, input, static_cast<size_t>(view.element));
    return output + view.element;
  }
  if (axis + 1 == view.sizes.size() && view.steps[axis] == view.element) {
    const int64_t row = view.sizes[axis] * view.element;
    std::memcpy(output, input, static_cast<size_t>(row));
    return output + row;
  }
  for (int64_t i = 0; i < view.sizes[axis]; ++i)
    output = CopyView(view, axis + 1, input + i * view.steps[axis], output);
  return output;
}

}  // namespace qat::reference

#endif  // QAT_RUNTIME_KERNELS_REFERENCE_STRIDED_COPY_H_
