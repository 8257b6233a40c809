// depthwise_conv_2d.h: depthwise convolution: rows of the input are interleaved, so that one lane finds the
// taps of one column side by side, and all columns of an output row share them; and those of the row below,
// where the lanes hold one row of the input more than the filter has.
#ifndef QAT_RUNTIME_KERNELS_SIMD_DEPTHWISE_CONV_2D_H_
#define QAT_RUNTIME_KERNELS_SIMD_DEPTHWISE_CONV_2D_H_

#include <span>

#include "runtime/kernels/simd/matrix.h"
#include "runtime/kernels/window.h"

namespace qat::simd {

/// True for a depth multiplier of 1 and padding that is not many times the image.
bool CanDepthwiseConv2D(const Window2D& window);

/// What Prepare keeps of one depthwise convolution.
class DepthwiseConv2D {
 public:
  /// Shapes    filter [1, H, W, C]; bias empty or [C].
  DepthwiseConv2D(const Instructions& instructions, const Window2D& window, std::span<const uint8_t> filter,
                  std::span<const int32_t> bias, const Operands& operands,
                  const Requantization& requantization);

  size_t ScratchSize(int threads) const;
  /// Equal byte for byte to reference::DepthwiseConv2D.
  void Run(const uint8_t* input, uint8_t* output, uint8_t* scratch, ThreadPool* pool) const;

 private:
  /// One column of the filter, and which part of its values.
  struct Tap {
    int64_t column, part;
  };
  int64_t lanes() const { return instructions_->lanes; }
  int64_t BufferElements() const { return buffer_elements_; }
  int64_t BufferSize() const;
  int64_t RowsAtATime() const;
  int64_t ChannelOf(int64_t lane) const;
  std::vector<int64_t> ChannelsOfLanes() const;
  void PackTaps(std::span<const uint8_t> filter);
  AlignedBytes PackFilter(std::span<const uint8_t> filter, std::span<const Tap> taps, int64_t first) const;
  bool NeedsPart(std::span<const uint8_t> filter, Tap tap) const;
  void PackTap(std::span<const uint8_t> filter, int64_t channel, Tap tap, int64_t first, uint8_t* to) const;
  void FoldBias(std::span<const uint8_t> filter, std::span<const int32_t> bias);
  int32_t RowZeroPoint() const;
  void FillBorders(uint8_t* buffer) const;
  DepthwiseRow AsRow() const;
  void InterleaveRow(const uint8_t* image, const uint8_t* outside, int64_t y, uint8_t* buffer) const;

  const Instructions* instructions_;
  Window2D window_;
  Operands operands_;
  int64_t period_;  // of the channels over the lanes
  int64_t blocks_;
  int64_t groups_;           // of rows that are interleaved
  int64_t buffer_elements_;  // of one group
  bool makes_two_rows_;
  std::vector<int64_t> tap_offsets_;
  AlignedBytes filter_;
  AlignedBytes next_filter_;  // one row of the input further down, if makes_two_rows_
  std::vector<int32_t> bias_;
  OutputStageTable stage_;
};

}  // namespace qat::simd

#endif  // QAT_RUNTIME_KERNELS_SIMD_DEPTHWISE_CONV_2D_H_
