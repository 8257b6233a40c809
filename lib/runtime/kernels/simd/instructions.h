// instructions.h: the border between C++ for any machine and the sources that are compiled for one
// instruction set. Plain data and function pointers only: an inline function shared by both sides could end
// up in the program in its AVX form, whichever copy the linker keeps.
#ifndef QAT_RUNTIME_KERNELS_SIMD_INSTRUCTIONS_H_
#define QAT_RUNTIME_KERNELS_SIMD_INSTRUCTIONS_H_

#include <cstdint>

namespace qat::simd {

/// One product of gathered rows with a packed filter, requantized to bytes:
///   output[r, u] = requantize[u](bias[u] + row_sum_factor * sum(x[r]) + dot(x[r], filter[u])).
/// Row r begins at input + (r / width) * step_y + (r % width) * step_x and is made of `segments` runs of
/// memory at segment_offsets from there. A step is 4 bytes of a run: 4 uint8 or 2 int16.
/// Arrays by unit are padded to whole vectors. All sums wrap modulo 2^32.
struct Product {
  const uint8_t* input;
  int64_t rows;
  int64_t width;
  int64_t step_x, step_y;  // bytes

  const int64_t* segment_offsets;  // bytes
  int64_t segments;
  int64_t segment_steps;  // up to 3 bytes behind a run are read, and multiplied by zeros
  int64_t segment_size;   // bytes of the run that count

  const uint8_t* filter;  // [units / lanes][segments * segment_steps][lanes][4 bytes]
  int64_t units;
  const int32_t* bias;
  // row_sum_factor * sum(x[r]) comes out of lane `row_term_lane` of the last vector of units, which is free there
  // and has the factor as its filter; or, where that is -1, it is summed apart from the product.
  int32_t row_sum_factor;
  int32_t row_term_lane;

  // Either multiplier, left_shift, right_shift (fixed point, rounded twice), or real_multiplier (one double
  // product, rounded half away from zero); the others are null.
  const int32_t* multiplier;
  const int32_t* left_shift;
  const int32_t* right_shift;
  const double* real_multiplier;
  int32_t output_offset, activation_min, activation_max;

  uint8_t* output;  // [rows, units]
};

/// What one instruction set brings.
struct Instructions {
  int64_t lanes;  ///< int32 in a register
  bool widens;    ///< true: int16 operands, zero points taken off; false: uint8 rows, int8 filter
  void (*multiply)(const Product&);
};

// Each defined by kernels/<name>/instructions.cc, on machines that can have it.
extern const Instructions kAvx2Instructions;
extern const Instructions kAvx512VnniInstructions;

}  // namespace qat::simd

#endif  // QAT_RUNTIME_KERNELS_SIMD_INSTRUCTIONS_H_
