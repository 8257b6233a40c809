// float_matrix.h: convolutions and fully connected layers on floats. Every output sums its products in the
// order of the reference, each fused with the sum: results are the same under every instruction set, and
// nearer to the real ones.
#ifndef QAT_RUNTIME_KERNELS_SIMD_FLOAT_MATRIX_H_
#define QAT_RUNTIME_KERNELS_SIMD_FLOAT_MATRIX_H_

#include <span>
#include <vector>

#include "runtime/kernels/simd/matrix.h"

namespace qat::simd {

/// A filter [units, offsets.size() * segment_size], units side by side.
class FloatFilter {
 public:
  FloatFilter(const Instructions& instructions, Segments segments, std::span<const float> filter,
              int64_t units);
  /// All of the product but rows, bias, clamp and output.
  FloatProduct AsProduct() const;
  /// Bytes for Pad.
  size_t BiasSize() const;
  /// The bias, which may be null, padded to whole vectors.
  const float* PadBias(const float* bias, uint8_t* scratch) const;
  /// Of ForRuns.
  int64_t WorkOfARow() const;
  /// Runs AsProduct() with input, bias, clamp and output on `rows` rows, which the threads share.
  void Multiply(const FloatProduct& product, int64_t rows, ThreadPool* pool) const;

 private:
  int64_t padded_units() const;

  const FloatInstructions* instructions_;
  Segments segments_;
  int64_t units_;
  AlignedBytes values_;
};

struct FloatConv2D {
  Window2D window;
  portable::PatchLayout layout;
  FloatFilter filter;
};
/// Shapes    filter [O, H, W, I].
FloatConv2D PrepareFloatConv2D(const Instructions& instructions, const Window2D& window,
                               std::span<const float> filter);
size_t ScratchSize(const FloatConv2D& conv, int threads);
void Run(const FloatConv2D& conv, const FloatArithmetic& arithmetic, const float* input, const float* bias,
         float* output, uint8_t* scratch, ThreadPool* pool);

struct FloatFullyConnected {
  MatrixShape shape;
  FloatFilter filter;
};
size_t ScratchSize(const FloatFullyConnected& layer);
void Run(const FloatFullyConnected& layer, const FloatArithmetic& arithmetic, const float* input,
         const float* bias, float* output, uint8_t* scratch, ThreadPool* pool);

}  // namespace qat::simd

#endif  // QAT_RUNTIME_KERNELS_SIMD_FLOAT_MATRIX_H_
