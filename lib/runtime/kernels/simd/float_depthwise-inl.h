// float_depthwise-inl.h: FloatDepthwiseRow and FloatDepthwiseRun for one register type F. Behind float-inl.h,
// under the same rules.

namespace qat::simd {
namespace {

// One row of the input times the same row of the filter, or, of two output rows, times the one before it,
// too.
template <class F, int kWidth, int kStride, int kPixels, int kOutputRows>
inline void AddDepthwiseFloats(const float* input, int64_t depth, const float* const (&filter)[kOutputRows],
                               typename F::Vector* const (&acc)[kOutputRows]) {
  constexpr int kColumns = (kPixels - 1) * kStride + kWidth;
  typename F::Vector x[kColumns];
#pragma GCC unroll 16
  for (int c = 0; c < kColumns; ++c) {
    x[c] = F::Load(input + c * depth);
    F::Keep(x[c]);
  }
#pragma GCC unroll 16
  for (int j = 0; j < kWidth; ++j) {
#pragma GCC unroll 2
    for (int r = 0; r < kOutputRows; ++r) {
      auto w = F::Load(filter[r] + j * F::kLanes);
      F::Keep(w);
#pragma GCC unroll 16
      for (int p = 0; p < kPixels; ++p) acc[r][p] = F::MultiplyAdd(x[p * kStride + j], w, acc[r][p]);
    }
  }
}

// kPixels pixels side by side whose windows are inside the image, of one row or of two: what they find in the
// same place is read once. The last vector of channels overlaps the one before.
template <class F, int kWidth, int kStride, int kPixels, int kOutputRows>
[[gnu::noinline]] void DepthwiseFloatTile(const FloatDepthwiseRow& d, int64_t pixel) {
  // Copies, which no store can reach.
  const int64_t depth = d.depth, row_step = d.row_step, block_size = d.block_size;
  const int64_t rows = d.rows, next_begin = d.next_begin, next_end = d.next_end;
  const float* const inputs = d.input + (pixel * kStride - d.pad_left) * depth;
  const float* filters = d.filter;
  const float* next_filters = d.next_filter;
  const float* const biases = d.bias;
  float* const outputs = d.output + pixel * depth;
  const int64_t next_output = kOutputRows > 1 ? d.next_output - d.output : 0;
  const FloatClamp<F> clamp(d.activation_min, d.activation_max);
  for (int64_t channel = 0; channel < depth; channel += F::kLanes) {
    const int64_t first = channel + F::kLanes <= depth ? channel : depth - F::kLanes;
    const float* input = inputs + first;
    const float* filter = filters;
    const float* next_filter = next_filters;
    typename F::Vector acc[kOutputRows][kPixels];
#pragma GCC unroll 2
    for (int r = 0; r < kOutputRows; ++r) {
#pragma GCC unroll 16
      for (int p = 0; p < kPixels; ++p) acc[r][p] = F::Fill(0);
    }
    int64_t row = 0;
    const auto add = [&]<int kCount>(const float* const(&of_rows)[kCount],
                                     typename F::Vector* const(&sums)[kCount]) {
      AddDepthwiseFloats<F, kWidth, kStride, kPixels, kCount>(input, depth, of_rows, sums);
      input += row_step;
      ++row;
    };
    if constexpr (kOutputRows == 1) {
      while (row < rows) {
        add({filter}, {acc[0]});
        filter += kWidth * F::kLanes;
      }
    } else {
      while (row < next_begin) {
        add({filter}, {acc[0]});
        filter += kWidth * F::kLanes;
      }
      while (row < rows) {
        add({filter, next_filter}, {acc[0], acc[1]});
        filter += kWidth * F::kLanes;
        next_filter += kWidth * F::kLanes;
      }
      while (row < next_end) {
        add({next_filter}, {acc[1]});
        next_filter += kWidth * F::kLanes;
      }
    }
    const auto bias = F::Load(biases + first);
#pragma GCC unroll 2
    for (int r = 0; r < kOutputRows; ++r) {
      float* output = outputs + r * next_output + first;
#pragma GCC unroll 16
      for (int p = 0; p < kPixels; ++p, output += depth)
        F::Store(output, clamp(F::Add(acc[r][p], bias)), F::kLanes);
    }
    filters += block_size;
    if constexpr (kOutputRows > 1) next_filters += block_size;
  }
}

template <class F, int kWidth, int kStride, int kOutputRows>
inline void DepthwiseFloatInside(const FloatDepthwiseRow& d, int64_t pixel, int64_t end) {
  for (; pixel + 4 <= end; pixel += 4) DepthwiseFloatTile<F, kWidth, kStride, 4, kOutputRows>(d, pixel);
  const int64_t left = end - pixel;
  if (left == 3) DepthwiseFloatTile<F, kWidth, kStride, 3, kOutputRows>(d, pixel);
  if (left == 2) DepthwiseFloatTile<F, kWidth, kStride, 2, kOutputRows>(d, pixel);
  if (left == 1) DepthwiseFloatTile<F, kWidth, kStride, 1, kOutputRows>(d, pixel);
}

// One pixel whose window reaches over an edge of the image: kBlocks vectors of its channels.
template <class F, int kBlocks>
inline void DepthwiseFloatEdgeBlocks(const FloatDepthwiseRow& d, int64_t pixel, int64_t first,
                                     const float* filter) {
  const int64_t column = pixel * d.stride - d.pad_left, past = column + d.width - d.input_width;
  const int64_t begin = column < 0 ? -column : 0, end = past > 0 ? d.width - past : d.width;
  const float* input = d.input + column * d.depth + first;
  const FloatClamp<F> clamp(d.activation_min, d.activation_max);
  typename F::Vector acc[kBlocks];
#pragma GCC unroll 4
  for (int b = 0; b < kBlocks; ++b) acc[b] = F::Fill(0);
  for (int64_t row = 0; row < d.rows; ++row, input += d.row_step, filter += d.width * F::kLanes) {
    for (int64_t j = begin; j < end; ++j) {
#pragma GCC unroll 4
      for (int b = 0; b < kBlocks; ++b) {
        const auto w = F::Load(filter + j * F::kLanes + b * d.block_size);
        acc[b] = F::MultiplyAdd(F::Load(input + j * d.depth + b * F::kLanes), w, acc[b]);
      }
    }
  }
  float* const output = d.output + pixel * d.depth + first;
#pragma GCC unroll 4
  for (int b = 0; b < kBlocks; ++b) {
    const auto bias = F::Load(d.bias + first + b * F::kLanes);
    F::Store(output + b * F::kLanes, clamp(F::Add(acc[b], bias)), F::kLanes);
  }
}

template <class F>
[[gnu::noinline]] void DepthwiseFloatEdge(const FloatDepthwiseRow& d, int64_t pixel) {
  int64_t channel = 0;
  const float* filter = d.filter;
  for (; channel + 4 * F::kLanes <= d.depth; channel += 4 * F::kLanes, filter += 4 * d.block_size)
    DepthwiseFloatEdgeBlocks<F, 4>(d, pixel, channel, filter);
  for (; channel < d.depth; channel += F::kLanes, filter += d.block_size) {
    const int64_t first = channel + F::kLanes <= d.depth ? channel : d.depth - F::kLanes;
    DepthwiseFloatEdgeBlocks<F, 1>(d, pixel, first, filter);
  }
}

template <class F>
inline void DepthwiseFloatEdges(const FloatDepthwiseRow& d) {
  for (int64_t pixel = 0; pixel < d.inside_begin; ++pixel) DepthwiseFloatEdge<F>(d, pixel);
  for (int64_t pixel = d.inside_end; pixel < d.pixels; ++pixel) DepthwiseFloatEdge<F>(d, pixel);
}

template <class F, int kWidth, int kStride>
inline void DepthwiseFloatRowOf(const FloatDepthwiseRow& d) {
  if (d.next_output == nullptr) {
    DepthwiseFloatInside<F, kWidth, kStride, 1>(d, d.inside_begin, d.inside_end);
    return DepthwiseFloatEdges<F>(d);
  }
  DepthwiseFloatInside<F, kWidth, kStride, 2>(d, d.inside_begin, d.inside_end);
  DepthwiseFloatEdges<F>(d);
  FloatDepthwiseRow next = d;
  next.input += d.next_begin * d.row_step;
  next.rows = d.next_end - d.next_begin;
  next.filter = d.next_filter;
  next.output = d.next_output;
  DepthwiseFloatEdges<F>(next);
}

template <class F>
void DepthwiseFloatRow(const FloatDepthwiseRow& d) {
  if (d.width == 3) return d.stride == 1 ? DepthwiseFloatRowOf<F, 3, 1>(d) : DepthwiseFloatRowOf<F, 3, 2>(d);
  return d.stride == 1 ? DepthwiseFloatRowOf<F, 5, 1>(d) : DepthwiseFloatRowOf<F, 5, 2>(d);
}

template <class F, int kCount>
inline void SumFloatTaps(const FloatDepthwiseRun& d, const float* input, const float* filter,
                         typename F::Vector (&acc)[kCount]) {
#pragma GCC unroll 4
  for (int i = 0; i < kCount; ++i) acc[i] = F::Fill(0);
  for (int64_t tap = 0; tap < d.taps; ++tap) {
    const auto w = F::Load(filter + d.filter_offsets[tap]);
    const float* const x = input + d.input_offsets[tap];
#pragma GCC unroll 4
    for (int i = 0; i < kCount; ++i) acc[i] = F::MultiplyAdd(F::Load(x + i * d.input_step), w, acc[i]);
  }
}

// Vectors that are not whole read their last values only: the input may end there.
template <class F>
inline void SumFloatPart(const FloatDepthwiseRun& d, const float* input, const float* filter, int64_t count,
                         typename F::Vector& acc) {
  acc = F::Fill(0);
  for (int64_t tap = 0; tap < d.taps; ++tap) {
    const auto x = F::LoadPart(input + d.input_offsets[tap], count);
    acc = F::MultiplyAdd(x, F::Load(filter + d.filter_offsets[tap]), acc);
  }
}

// kCount vectors of one block, an output_step apart.
template <class F, int kCount>
inline void DepthwiseFloatVectors(const FloatDepthwiseRun& d, const float* input, int64_t first,
                                  int64_t element, const FloatClamp<F>& clamp) {
  typename F::Vector acc[kCount];
  SumFloatTaps<F, kCount>(d, input, d.filter + first, acc);
  const auto bias = F::Load(d.bias + first);
#pragma GCC unroll 4
  for (int i = 0; i < kCount; ++i) {
    F::Store(d.output + element + i * d.output_step, clamp(F::Add(acc[i], bias)), F::kLanes);
  }
}

template <class F>
inline void DepthwiseFloatBlock(const FloatDepthwiseRun& d, int64_t block) {
  const int64_t first = block * F::kLanes;
  const int64_t used = d.period - first < F::kLanes ? d.period - first : F::kLanes;
  const float* const filter = d.filter + first;
  const float* input = d.input + first;
  const auto bias = F::Load(d.bias + first);
  const FloatClamp<F> clamp(d.activation_min, d.activation_max);
  int64_t element = first;
  if (used == F::kLanes) {
    for (; element + 3 * d.output_step + F::kLanes <= d.size; element += 4 * d.output_step) {
      DepthwiseFloatVectors<F, 4>(d, input, first, element, clamp);
      input += 4 * d.input_step;
    }
    const int64_t left = (d.size - F::kLanes - element + d.output_step) / d.output_step;
    if (left == 3) DepthwiseFloatVectors<F, 3>(d, input, first, element, clamp);
    if (left == 2) DepthwiseFloatVectors<F, 2>(d, input, first, element, clamp);
    if (left == 1) DepthwiseFloatVectors<F, 1>(d, input, first, element, clamp);
    element += left * d.output_step;
    input += left * d.input_step;
  }
  for (; element < d.size; element += d.output_step, input += d.input_step) {
    const int64_t count = d.size - element < used ? d.size - element : used;
    typename F::Vector acc;
    SumFloatPart<F>(d, input, filter, count, acc);
    F::Store(d.output + element, clamp(F::Add(acc, bias)), count);
  }
}

// kCount blocks of one pixel.
template <class F, int kCount>
inline void DepthwiseFloatPixel(const FloatDepthwiseRun& d, int64_t first, const FloatClamp<F>& clamp) {
  typename F::Vector acc[kCount];
#pragma GCC unroll 4
  for (int i = 0; i < kCount; ++i) acc[i] = F::Fill(0);
  for (int64_t tap = 0; tap < d.taps; ++tap) {
    const float* const w = d.filter + first + d.filter_offsets[tap];
    const float* const x = d.input + first + d.input_offsets[tap];
#pragma GCC unroll 4
    for (int i = 0; i < kCount; ++i)
      acc[i] = F::MultiplyAdd(F::Load(x + i * F::kLanes), F::Load(w + i * F::kLanes), acc[i]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < kCount; ++i) {
    const int64_t channel = first + i * F::kLanes;
    F::Store(d.output + channel, clamp(F::Add(acc[i], F::Load(d.bias + channel))), F::kLanes);
  }
}

// Blocks share the taps' places where there is but one pixel, as at the edges of an image.
template <class F>
void DepthwiseFloats(const FloatDepthwiseRun& d) {
  int64_t block = 0;
  if (d.size == d.period) {
    const FloatClamp<F> clamp(d.activation_min, d.activation_max);
    for (; (block + 4) * F::kLanes <= d.size; block += 4)
      DepthwiseFloatPixel<F, 4>(d, block * F::kLanes, clamp);
  }
  for (; block < d.blocks; ++block) DepthwiseFloatBlock<F>(d, block);
}

}  // namespace
}  // namespace qat::simd
