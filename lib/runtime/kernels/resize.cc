// Prepare of RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR: where each row and column of the output lies over
// the input is worked out once.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "runtime/kernels/quantization.h"
#include "runtime/kernels/simd/matrix.h"

namespace qat {
namespace {

struct Sizes {
  int32_t batch, input_h, input_w, output_h, output_w, depth;
};

// Calls make(image, row) for the rows of all images over the threads; `work` is that of a value, in
// multiply-accumulates.
template <class F>
void ForRows(const Sizes& s, int64_t work, ThreadPool* pool, const F& make) {
  const int64_t rows = int64_t{s.batch} * s.output_h, row_size = int64_t{s.output_w} * s.depth;
  ForRuns(pool, rows * row_size * work, rows, 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; ++row) make(row / s.output_h, row % s.output_h);
  });
}

Sizes SizesOf(const KernelContext& context) {
  const Shape& in = context.inputs[0]->shape;
  const Shape& out = context.output.shape;
  return {in[0], in[1], in[2], out[1], out[2], in[3]};
}

// float32, as TFLite's reference kernel.
std::vector<int32_t> NearestPositions(const ResizeAttributes& a, int32_t input, int32_t output) {
  const bool aligned = a.align_corners && output > 1;
  const float scale = aligned ? static_cast<float>(input - 1) / static_cast<float>(output - 1)
                              : static_cast<float>(input) / static_cast<float>(output);
  const float shift = a.half_pixel_centers ? 0.5f : 0.0f;
  std::vector<int32_t> positions;
  for (int32_t i = 0; i < output; ++i) {
    const float at = (static_cast<float>(i) + shift) * scale;
    const auto position = static_cast<int32_t>(a.align_corners ? std::round(at) : std::floor(at));
    positions.push_back(std::clamp(position, 0, input - 1));
  }
  return positions;
}

Expected<std::unique_ptr<Kernel>> PrepareNearest(const KernelContext& context) {
  if (context.inputs[0]->type != context.output.type) return UnsupportedTypes(context);
  QAT_RETURN_IF_ERROR(CheckMovedQuantization(*context.inputs[0], context.output));
  const auto& a = context.As<ResizeAttributes>();
  const Sizes sizes = SizesOf(context);
  const auto pixel = static_cast<int64_t>(SizeOf(context.output.type)) * sizes.depth;
  return MakeKernel(context, "reference",
                    [=, rows = NearestPositions(a, sizes.input_h, sizes.output_h),
                     columns = NearestPositions(a, sizes.input_w, sizes.output_w)](const KernelBuffers& io) {
                      ForRows(sizes, 1, io.pool, [&](int64_t n, int64_t y) {
                        const int64_t from = n * sizes.input_h + rows[static_cast<size_t>(y)];
                        const uint8_t* row = io.inputs[0] + from * sizes.input_w * pixel;
                        uint8_t* output = io.output_bytes + (n * sizes.output_h + y) * sizes.output_w * pixel;
                        for (const int32_t x : columns) {
                          std::memcpy(output, row + x * pixel, static_cast<size_t>(pixel));
                          output += pixel;
                        }
                      });
                    });
}

// Two neighbours and their weights, which are reals or 1024ths.
template <class Weight>
struct Neighbours {
  int32_t low = 0;
  int32_t high = 0;
  Weight low_weight = 0;
  Weight high_weight = 0;
};

std::vector<Neighbours<float>> RealNeighbours(const ResizeAttributes& a, int32_t input, int32_t output) {
  const bool aligned = a.align_corners && output > 1;
  const float scale = aligned ? static_cast<float>(input - 1) / static_cast<float>(output - 1)
                              : static_cast<float>(input) / static_cast<float>(output);
  std::vector<Neighbours<float>> all;
  for (int32_t i = 0; i < output; ++i) {
    const auto index = static_cast<float>(i);
    const float at = a.half_pixel_centers ? (index + 0.5f) * scale - 0.5f : index * scale;
    const float below = std::floor(at);
    Neighbours<float> n;
    n.low = std::clamp(static_cast<int32_t>(below), 0, input - 1);
    n.high = std::clamp(static_cast<int32_t>(std::ceil(at)), 0, input - 1);
    n.high_weight = at - static_cast<float>(std::max(static_cast<int32_t>(below), 0));
    n.low_weight = 1 - n.high_weight;
    all.push_back(n);
  }
  return all;
}

std::vector<Neighbours<int64_t>> FixedNeighbours(const ResizeAttributes& a, int32_t input, int32_t output) {
  constexpr int32_t kOne = 1 << 10;
  int32_t scale = (input * kOne + output / 2) / output;
  if (a.align_corners && output > 1) scale = ((input - 1) * kOne + (output - 1) / 2) / (output - 1);
  std::vector<Neighbours<int64_t>> all;
  for (int32_t i = 0; i < output; ++i) {
    const int64_t at = int64_t{i} * scale + (a.half_pixel_centers ? scale / 2 - kOne / 2 : 0);
    Neighbours<int64_t> n;
    n.low = static_cast<int32_t>(std::clamp<int64_t>(at / kOne, 0, input - 1));
    n.high = static_cast<int32_t>(std::clamp<int64_t>((at + kOne - 1) / kOne, 0, input - 1));
    n.high_weight = at - int64_t{kOne} * std::max<int64_t>(at / kOne, 0);
    n.low_weight = kOne - n.high_weight;
    all.push_back(n);
  }
  return all;
}

// The order of TFLite's sum: it matters to floats.
template <class T, class Weight, class Round>
std::unique_ptr<Kernel> MakeBilinear(const KernelContext& context, std::vector<Neighbours<Weight>> rows,
                                     std::vector<Neighbours<Weight>> columns, Round round) {
  const Sizes sizes = SizesOf(context);
  return MakeKernel(
      context, "reference",
      [=, rows = std::move(rows), columns = std::move(columns)](const KernelBuffers& io) {
        const int64_t row_size = int64_t{sizes.input_w} * sizes.depth;
        ForRows(sizes, 8, io.pool, [&](int64_t n, int64_t row) {
          const Neighbours<Weight>& y = rows[static_cast<size_t>(row)];
          const T* image = io.input<T>(0) + n * sizes.input_h * row_size;
          const T* top = image + y.low * row_size;
          const T* bottom = image + y.high * row_size;
          T* output = io.output<T>() + (n * sizes.output_h + row) * sizes.output_w * sizes.depth;
          for (const auto& x : columns) {
            const int64_t left = int64_t{x.low} * sizes.depth, right = int64_t{x.high} * sizes.depth;
            for (int32_t c = 0; c < sizes.depth; ++c) {
              const Weight sum = static_cast<Weight>(top[left + c]) * y.low_weight * x.low_weight +
                                 static_cast<Weight>(bottom[left + c]) * y.high_weight * x.low_weight +
                                 static_cast<Weight>(top[right + c]) * y.low_weight * x.high_weight +
                                 static_cast<Weight>(bottom[right + c]) * y.high_weight * x.high_weight;
              *output++ = round(sum);
            }
          }
        });
      });
}

template <class T>
std::unique_ptr<Kernel> MakeIntegerBilinear(const KernelContext& context) {
  const auto& a = context.As<ResizeAttributes>();
  const Sizes s = SizesOf(context);
  return MakeBilinear<T>(context, FixedNeighbours(a, s.input_h, s.output_h),
                         FixedNeighbours(a, s.input_w, s.output_w), [](int64_t sum) {
                           const int64_t half = sum >= 0 ? 1 << 19 : -(1 << 19);
                           return static_cast<T>((sum + half) / (1 << 20));
                         });
}

// int8 and int16 have an integer arithmetic of their own, unlike uint8.
Expected<std::unique_ptr<Kernel>> PrepareBilinear(const KernelContext& context) {
  if (context.inputs[0]->type != context.output.type) return UnsupportedTypes(context);
  QAT_RETURN_IF_ERROR(CheckMovedQuantization(*context.inputs[0], context.output));
  const auto& a = context.As<ResizeAttributes>();
  const Sizes s = SizesOf(context);
  if (context.output.type == DType::kInt8) return MakeIntegerBilinear<int8_t>(context);
  if (context.output.type == DType::kInt16) return MakeIntegerBilinear<int16_t>(context);
  auto rows = RealNeighbours(a, s.input_h, s.output_h);
  auto columns = RealNeighbours(a, s.input_w, s.output_w);
  if (context.output.type == DType::kFloat32)
    return MakeBilinear<float>(context, std::move(rows), std::move(columns), [](float sum) { return sum; });
  if (context.output.type != DType::kUInt8) return UnsupportedTypes(context);
  return MakeBilinear<uint8_t>(context, std::move(rows), std::move(columns),
                               [](float sum) { return static_cast<uint8_t>(sum + 0.5f); });
}

}  // namespace

// Version 4 brought int16.
const OpKernels& ResizeBilinearKernels() {
  static const OpKernels kKernels = {PrepareBilinear, 4};
  return kKernels;
}
const OpKernels& ResizeNearestNeighborKernels() {
  static const OpKernels kKernels = {PrepareNearest, 4};
  return kKernels;
}

}  // namespace qat
