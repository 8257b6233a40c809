// instructions.h: the interface between C++ for any machine and the sources that are compiled for one
// instruction set. Plain data and function pointers only: an inline function shared by both sides could end
// up in the program in its AVX form, whichever copy the linker keeps.
#ifndef QAT_RUNTIME_KERNELS_SIMD_INSTRUCTIONS_H_
#define QAT_RUNTIME_KERNELS_SIMD_INSTRUCTIONS_H_

#include <cstdint>

namespace qat::simd {

/// How int32 accumulators become bytes. Arrays are by unit and padded to whole vectors. One of three forms,
/// the first whose arrays are there:
///   folded   fixed point, rounded twice, where nothing shifts to the left and no sum comes near 2^31:
///            h = acc + floor((acc * folded_multiplier + 2^31) / 2^32),
///            folded_multiplier = 2 * multiplier - 2^32,
///            (h - (acc >>> sign_shift) + rounding) >> right_shift, with
///            rounding = floor(2^(right_shift - 1)) + offset * 2^right_shift,
///            sign_shift = right_shift > 0 ? 31 : 32
///   real     one double product, rounded half away from zero
///   general  fixed point, rounded twice, any shifts
/// The first is the last in fewer instructions: h is negative where acc is, or else 0, which rounds to 0
/// either way.
///
/// Both of its roundings together are one floor: of acc * m / 2^(31 + right_shift) + 1 / 2 + 1 /
/// 2^(right_shift + 1), the last term being 0 without a shift, and negative for a negative acc with one.
/// Where `guess_scale` is there, that number can be worked out in float first, times 2^16: y = acc *
/// guess_scale + guess_center, rounded to an integer, is at most kGuessError off (a rounding of acc, one of
/// the scale, one of the center, one of the sum, one to an integer; of numbers up to 2^24) for outputs that
/// are bytes, and beyond them on their side. guess_center is larger by kGuessError: the output is y >> 16
/// unless y mod 2^16 is at most 2 * kGuessError. Then the folded form decides: what comes out is always the
/// exact output.
struct OutputStage {
  static constexpr int32_t kGuessError = 5;

  const int32_t* folded_multiplier;
  const int32_t* rounding;
  const int32_t* sign_shift;
  const int32_t* right_shift;
  const float* guess_scale;  // null: no guesses
  const float* guess_center;
  const float* guess_center_below;  // for negative sums
  const double* real_multiplier;
  const int32_t* multiplier;
  const int32_t* left_shift;
  int32_t offset, activation_min, activation_max;
  uint8_t flip;  ///< 0x80 where bytes are signed, else 0: turns them into unsigned ones and back
  /// The clamp takes all that is below offset, as ReLU does: sums below 0 need no exact rounding, and no
  /// sign_shift.
  bool clamps_negative;
};

/// One product of gathered rows with a packed filter, requantized to bytes:
///   output[r, u] = stage[u](bias[u] + dot(x[r], filter[u]) - row_term[r]).
/// Row r begins at input + (r / width) * step_y + (r % width) * step_x and is made of `segments` runs of
/// memory at segment_offsets from there. A step is 4 bytes of a run: 4 uint8 (or int8, see flip) or 2 int16.
/// Arrays by unit are padded to whole vectors. All sums wrap modulo 2^32.
/// Where a max pool is part of it, a row stands for its window: the rows at pool_offsets from it, the largest
/// of whose sums is requantized, which is the largest of what they would be requantized to.
struct Product {
  static constexpr int64_t kMaxPoolTaps = 16;
  // steps; in longer rows, summing the bytes takes fewer instructions than one more vector
  static constexpr int64_t kLongRow = 12;

  const uint8_t* input;
  int64_t begin, end;  // rows to compute
  int64_t width;
  int64_t step_x, step_y;              // bytes
  int64_t pool_taps;                   // 1 to kMaxPoolTaps; over 1 with a folded stage only
  int64_t pool_offsets[kMaxPoolTaps];  // bytes; the first is 0

  const int64_t* segment_offsets;  // bytes
  int64_t segments;
  int64_t segment_size;         // bytes of the run that count
  const int64_t* step_offsets;  // bytes; up to 3 after a run are read, and multiplied by zeros
  int64_t steps;

  const uint8_t* filter;  // [units / lanes, rounded up][steps][lanes][4 bytes]
  int64_t units;
  const int32_t* bias;
  // What all units of a row have in common, the share of a filter's zero point in its sum, is computed as one
  // more unit, in this lane of the last vector; 0: of a vector after it, which has nothing else; -1: there is
  // none.
  int32_t row_term_lane;
  int32_t row_term_factor;  // what the row term is, over the sum of the row

  OutputStage stage;
  uint8_t* output;  // [rows, units], rows output_step bytes apart
  int64_t output_step;

  // Not null: the sums go here as they are, [rows, units], rows output_step sums apart, and nothing becomes
  // bytes. Without a pool.
  int32_t* sums;
};

/// `taps` rows of bytes, side by side: 4 bytes per element, as one lane of a dot product takes them.
struct Interleave {
  const uint8_t* rows[4];
  int64_t size;        // elements; up to one vector more is written
  uint8_t flip;        // as OutputStage
  int32_t zero_point;  // of the unsigned bytes; taken off where the instruction set widens
  uint8_t* output;
};

/// Rows of the output of a depthwise convolution, out of interleaved rows of the input. A row is made of
/// vectors of lanes:
/// vector t of block b begins at element b * lanes + t * output_step of the output and at element
/// b * lanes + t * input_step of the input, and holds min(lanes, period - b * lanes) values, fewer at the end
/// of the row. All vectors of a block have the same channels, hence the same filter.
struct DepthwiseRow {
  const uint8_t* input;  // interleaved: 4 bytes per element
  int64_t taps;
  const int64_t* tap_offsets;  // bytes
  const uint8_t* filter;       // [blocks][taps][lanes][4 bytes]
  // Of the next row of the output, where the same rows of the input hold all that it reads; null: there is
  // none.
  const uint8_t* next_filter;
  uint8_t* next_output;
  const int32_t* bias;  // [blocks * lanes], as the arrays of the stage
  int64_t blocks;
  int64_t period;
  int64_t input_step, output_step;
  OutputStage stage;
  int64_t size;
  uint8_t* output;  // [size]
  // So many rows, or pairs of rows, each with its own interleaved rows: what they have in common is loaded
  // once.
  int64_t count;
  int64_t next_input, next_outputs;  // bytes from those of one to those of the next
};

/// A sum of two bytes in float: scale_a * a + scale_b * b + constant, of unsigned bytes. Its nearest integer
/// is the exact output before the clamp wherever it lies at most `sure` from it: all roundings together move
/// it by less than 0.5 - sure.
/// sure = 0: for too few pairs.
struct RealSum {
  float scale_a, scale_b, constant, sure;
};

/// output[i] = stage(f(a[i], b[i])) on bytes; a and b may be the output.
///   add, subtract    f = stage_a((a - zero_point_a) * 2^20) +- stage_b((b - zero_point_b) * 2^20)
///   multiply_pairs   f = (a - zero_point_a) * (b - zero_point_b)
/// Arrays of the stages hold one vector, all lanes alike; stage_a and stage_b are of the folded form and have
/// no offset; one of them halves without a shift, that of the larger scale.
struct Pairs {
  const uint8_t* a;
  const uint8_t* b;
  int64_t size;
  int32_t zero_point_a, zero_point_b;  // of the unsigned bytes
  OutputStage stage_a, stage_b;
  OutputStage stage;
  uint8_t* output;
  RealSum real;
};

/// One row of the output of a max pool: first the largest of the window's rows, column by column, then those
/// of its columns.
struct MaxPoolRow {
  const uint8_t* rows;  // the window's rows that are inside the image
  int64_t count, step;  // bytes from one row to the next
  int64_t size;         // bytes of a row
  uint8_t flip;
  uint8_t* columns;  // room for the largest of each column within the padding, which is 0, and a vector more
  int64_t before;    // bytes of padding before and of all columns
  int64_t padded;
  int64_t depth;
  int64_t taps;        // columns of a window
  int64_t pixel_step;  // bytes of the padded columns from one window to the next
  int64_t pixels;
  uint8_t activation_min, activation_max;  // of unsigned bytes
  uint8_t* output;
  const uint8_t* output_end;  // of all rows: up to a vector before it may be written over
};

/// sums[i] += unsigned byte i of every row.
struct RowSums {
  const uint8_t* rows;
  int64_t count;
  int64_t step;  // bytes from one row to the next
  int64_t size;
  uint8_t flip;
  int32_t* sums;
};

/// The product on floats: output[r, u] = clamp(sum of x[r, i] * filter[u, i] in the order of i + bias[u]),
/// each product fused with its sum: the reference but for a rounding per product. Everything as in Product,
/// but sizes and steps count floats.
struct FloatProduct {
  const float* input;
  int64_t begin, end;
  int64_t width;
  int64_t step_x, step_y;
  const int64_t* segment_offsets;
  int64_t segments;
  int64_t segment_size;
  // [groups][segments * segment_size][vectors of the group][lanes]; groups of FloatInstructions::blocks
  // vectors of units, and a last one of what is left: one stream of memory, however large it is.
  const float* filter;
  int64_t units;
  const float* bias;
  float activation_min, activation_max;
  float* output;
  int64_t output_step;
  bool fetches_output;  // it is too large to be near: what a tile writes is fetched while it computes
};

/// One row of the output of a depthwise convolution on floats, or two, whose filter is 3 or 5 columns wide
/// and moves by 1 or
/// 2. Its rows that are outside the image are left out. Steps count floats.
struct FloatDepthwiseRow {
  const float* input;  // column 0 of the first row
  int64_t rows;
  int64_t row_step;
  int64_t input_width;  // pixels
  int64_t depth;        // at least one vector; the last vector overlaps the one before it
  int64_t block_size;   // floats of the filter from one vector of channels to the next
  const float* filter;  // [vectors][rows][width][lanes]
  int64_t width, stride, pad_left;
  // A second row of the output, from rows next_begin <= rows to next_end >= rows of the input; null: there is
  // none.
  const float* next_filter;
  int64_t next_begin, next_end;
  float* next_output;
  const float* bias;
  float activation_min, activation_max;
  int64_t pixels;
  int64_t inside_begin, inside_end;  // pixels whose windows are inside the image from left to right
  float* output;                     // [pixels, depth]
};

/// A run of output pixels of a depthwise convolution on floats that have the same taps: those inside the
/// image. Vectors and blocks as in DepthwiseRow.
struct FloatDepthwiseRun {
  const float* input;
  int64_t taps;
  const int64_t* input_offsets;   // one per tap
  const int64_t* filter_offsets;  // one per tap, of its values for all lanes
  const float* filter;            // [taps of the window][blocks * lanes]
  const float* bias;
  int64_t blocks;
  int64_t period;
  int64_t input_step, output_step;
  float activation_min, activation_max;
  int64_t size;
  float* output;  // [size]
};

/// Floats in registers of one width.
struct FloatInstructions {
  int64_t lanes;
  int64_t blocks;  ///< vectors of units that `multiply` takes at a time
  void (*multiply)(const FloatProduct&);
  void (*depthwise_row)(const FloatDepthwiseRow&);
  void (*depthwise)(const FloatDepthwiseRun&);  ///< any window
};

/// What one instruction set provides.
struct Instructions {
  int64_t lanes;     ///< int32 in a register
  bool widens;       ///< true: int16 operands, zero points taken off; false: rows of bytes, int8 filter
  bool signed_rows;  ///< true: bytes are multiplied as int8, the unsigned ones less 128; false: as uint8
  void (*multiply)(const Product&);
  int64_t narrow_lanes;  ///< of narrower registers, which waste less on few units
  void (*narrow_multiply)(const Product&);
  /// to[i] = from[i] - zero_point, of bytes as they are. Null: a plain loop does it, or nothing widens.
  void (*widen)(const uint8_t* from, int64_t size, bool is_signed, int32_t zero_point, int16_t* to);
  void (*interleave)(const Interleave&);
  void (*depthwise)(const DepthwiseRow&);
  void (*add)(const Pairs&);
  void (*subtract)(const Pairs&);
  void (*multiply_pairs)(const Pairs&);
  void (*sum_rows)(const RowSums&);
  void (*max_pool)(const MaxPoolRow&);
  void (*lookup)(const uint8_t* table, const uint8_t* from, int64_t size, uint8_t* to);

  FloatInstructions wide, narrow;

  /// Values that one lane of a dot product takes from the rows.
  int64_t taps() const { return widens ? 2 : 4; }
  /// What is taken off the unsigned bytes of rows where they are multiplied.
  int32_t row_shift() const { return signed_rows ? 128 : 0; }
};

// Each defined by kernels/<name>/instructions.cc, on machines that can have it.
extern const Instructions kAvx2Instructions;
extern const Instructions kAvxVnniInstructions;
extern const Instructions kAvx512VlInstructions;  ///< the same, encoded for AVX-512 VL
extern const Instructions kAvx512VnniInstructions;
extern const Instructions kNeonInstructions;
extern const Instructions kNeonDotInstructions;

}  // namespace qat::simd

#endif  // QAT_RUNTIME_KERNELS_SIMD_INSTRUCTIONS_H_
