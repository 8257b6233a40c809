// matrix.h: the two products used by the fast kernels, in C++ that the compiler vectorizes for any
// machine. Both need the filter packed once, in Prepare.
#ifndef QAT_RUNTIME_KERNELS_PORTABLE_MATRIX_H_
#define QAT_RUNTIME_KERNELS_PORTABLE_MATRIX_H_

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/kernels/arithmetic.h"

namespace qat::portable {

/// Elements that block copies may touch beyond the end of what they copy: buffers are that much longer.
inline constexpr int64_t kSlack = 8;

/// Rows of a filter for products with rows of int16, zero points already taken off: the
/// quantized product sum((x - zx) * (w - zw)) then becomes a plain dot product. Rows are padded with zeros to
/// a multiple of 8 values, their number to a multiple of 4.
struct PackedInt16 {
  int64_t units = 0;
  int64_t acc_depth = 0;
  int64_t row_size = 0;  ///< acc_depth rounded up to 8
  std::vector<int16_t> values;
};
template <class T>
PackedInt16 PackInt16(std::span<const T> filter, int64_t units, int64_t acc_depth, int32_t filter_offset);

/// Rows for MultiplyInt16: to[r, i] = from[r, i] + input_offset; the padding of each row is left as it is.
/// Shapes    from [rows, acc_depth], to [rows, row_size].
template <class T>
void WidenRows(int64_t rows, int64_t acc_depth, int64_t row_size, int32_t input_offset, const T* from,
               int16_t* to);

/// Largest acc_depth whose sum of products of [-255, 255] surely stays inside int32.
inline constexpr int64_t kLargestInt16Depth = 33000;

/// output[r, u] = Output(bias[u] + dot(input[r], filter[u])).
/// Shapes    input [rows, row_size], values after acc_depth are ignored; output [rows, units], bias [units]
///           or null.
/// Requires  acc_depth <= kLargestInt16Depth.
template <class Arithmetic>
void MultiplyInt16(int64_t rows, const int16_t* input, const PackedInt16& filter,
                   const Arithmetic& arithmetic, const int32_t* bias, typename Arithmetic::Element* output);

/// Columns of a float filter, eight units side by side: [units / 8][acc_depth][8], zeros after the last
/// unit.
struct PackedFloat {
  int64_t units = 0;
  int64_t acc_depth = 0;
  std::vector<float> values;
};
PackedFloat PackFloat(std::span<const float> filter, int64_t units, int64_t acc_depth);

/// The same product on floats. Every output sums its products in order, as the reference does.
/// Shapes    input [rows, acc_depth].
void MultiplyFloat(int64_t rows, const float* input, const PackedFloat& filter,
                   const FloatArithmetic& arithmetic, const float* bias, float* output);

}  // namespace qat::portable

#endif  // QAT_RUNTIME_KERNELS_PORTABLE_MATRIX_H_
