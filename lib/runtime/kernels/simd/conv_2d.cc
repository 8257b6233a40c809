#include "runtime/kernels/simd/conv_2d.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace qat::simd {
namespace {

using portable::PatchLayout;

bool ReadsInPlace(const Conv2D& conv) {
  return conv.filter.ReadsInPlace() && conv.layout.padded_w == conv.window.input_w &&
         conv.layout.padded_h == conv.window.input_h;
}

// Bytes of a padded image, in whole cache lines.
size_t ImageSize(const Conv2D& conv) {
  if (ReadsInPlace(conv)) return 0;
  const int64_t size = conv.layout.ImageElements(conv.window) * conv.filter.element_size();
  return static_cast<size_t>((size + 63) / 64 * 64);
}

// The image in its border, of the zero point as rows hold it.
void Pad(const Conv2D& conv, const uint8_t* image, int32_t border, uint8_t* padded, ThreadPool* pool) {
  const auto convert = [&](const uint8_t* from, auto* to, int64_t count) {
    conv.filter.ConvertInput(from, reinterpret_cast<uint8_t*>(to), count);
  };
  ForRuns(
      pool, kWorkOfACopy * conv.layout.ImageElements(conv.window), conv.layout.padded_h, 1,
      [&](int64_t begin, int64_t end, int) {
        if (conv.filter.widens()) {
          auto* const wide = reinterpret_cast<int16_t*>(padded);
          PadRows(conv.window, conv.layout, image, wide, begin, end, convert, static_cast<int16_t>(border));
        } else {
          PadRows(conv.window, conv.layout, image, padded, begin, end, convert, static_cast<uint8_t>(border));
        }
      });
}

int64_t StepsOf(const Window2D& window) {
  return window.filter_h * ((int64_t{window.filter_w} * window.input_depth + 3) / 4);
}

// The window of `columns` outputs, `distance` pixels of the image apart.
Window2D Widened(Window2D window, int32_t columns, int32_t distance) {
  window.filter_w += (columns - 1) * distance;
  return window;
}

// Columns of the output that share a row of the product: those with the fewest instructions per column.
// Counted in the kernels, not measured: one for each step of a product, 0.7 in narrow registers, and 4 for
// the requantization of a vector.
int32_t ColumnsOf(const Instructions& instructions, const Window2D& window, const PoolWindows& pool) {
  if (instructions.widens || window.dilation_w != 1) return 1;
  const auto cost = [&](int32_t columns) {
    const bool narrow = columns * window.output_depth <= instructions.narrow_lanes;
    const int64_t steps = StepsOf(Widened(window, columns, pool.filter_w * window.stride_w));
    return (static_cast<double>(steps) * (narrow ? 0.7 : 1.0) + 4.0 / static_cast<double>(pool.taps())) /
           columns;
  };
  int32_t best = 1;
  for (int32_t columns = 2; columns * window.output_depth <= instructions.lanes; ++columns) {
    if (pool.output_w % columns == 0 && cost(columns) < cost(best)) best = columns;
  }
  return best;
}

// The filter once for each column, shifted, within its zero point.
std::vector<uint8_t> RepeatFilter(const Window2D& window, const Window2D& wide,
                                  std::span<const uint8_t> filter, int32_t columns, uint8_t zero_point) {
  const int64_t run = int64_t{window.filter_w} * window.input_depth;
  const int64_t wide_run = int64_t{wide.filter_w} * window.input_depth;
  const int64_t runs = int64_t{window.output_depth} * window.filter_h;
  const int64_t shift = columns == 1 ? 0 : (wide_run - run) / (columns - 1);
  std::vector<uint8_t> repeated(static_cast<size_t>(columns * runs * wide_run), zero_point);
  for (int64_t column = 0; column < columns; ++column) {
    for (int64_t i = 0; i < runs; ++i) {
      std::copy_n(filter.begin() + i * run, run,
                  repeated.begin() + (column * runs + i) * wide_run + column * shift);
    }
  }
  return repeated;
}

template <class T>
std::vector<T> Repeat(std::span<const T> values, int32_t columns) {
  std::vector<T> repeated;
  for (int32_t i = 0; i < columns; ++i) repeated.insert(repeated.end(), values.begin(), values.end());
  return repeated;
}

Conv2D Pack(const Instructions& instructions, const Window2D& window, const ConvWeights& weights,
            const PoolWindows& pool) {
  const PatchLayout layout(window, 0);
  const int32_t columns = ColumnsOf(instructions, window, pool);
  const auto packed = [&](const Window2D& wide, std::span<const uint8_t> filter,
                          std::span<const int32_t> bias, const Requantization& requantization) {
    return Conv2D{window, layout,
                  PackedFilter(instructions, SegmentsOf(wide, layout), filter, columns * window.output_depth,
                               bias, weights.operands, requantization),
                  pool, columns};
  };
  if (columns == 1) return packed(window, weights.filter, weights.bias, weights.requantization);
  const Window2D wide = Widened(window, columns, pool.filter_w * window.stride_w);
  const auto zero_point = static_cast<uint8_t>(weights.operands.filter_zero_point);
  Requantization requantization = weights.requantization;
  if (requantization.fixed.size() > 1)
    requantization.fixed = Repeat<FixedPointMultiplier>(requantization.fixed, columns);
  return packed(wide, RepeatFilter(window, wide, weights.filter, columns, zero_point),
                Repeat(weights.bias, columns), requantization);
}

}  // namespace

bool CanConv2D(const Window2D& window) { return PatchLayout(window, 0).Fits(window); }

Conv2D PrepareConv2D(const Instructions& instructions, const Window2D& window, const ConvWeights& weights,
                     const PoolWindows* pool) {
  const PoolWindows windows = pool != nullptr ? *pool : PoolWindows{1, 1, window.output_h, window.output_w};
  Conv2D conv = Pack(instructions, window, weights, windows);
  return pool == nullptr || conv.filter.CanPool() ? std::move(conv)
                                                  : PrepareConv2D(instructions, window, weights, nullptr);
}

size_t ScratchSize(const Conv2D& conv, int threads) {
  return ImageSize(conv) * static_cast<size_t>(SharesImages(conv.window.batch, threads) ? threads : 1);
}

void Run(const Conv2D& conv, const uint8_t* input, uint8_t* output, uint8_t* scratch, ThreadPool* pool) {
  const Window2D& w = conv.window;
  const int64_t pixel = w.input_depth * conv.filter.element_size();
  const bool in_place = ReadsInPlace(conv);
  const int64_t step_x = w.stride_w * pixel, step_y = w.stride_h * conv.layout.padded_w * pixel;
  Product product = conv.filter.AsProduct();
  const int64_t rows = int64_t{conv.pool.output_h} * conv.pool.output_w;
  product.width = conv.pool.output_w / conv.columns;
  product.step_x = conv.columns * conv.pool.filter_w * step_x;
  product.step_y = conv.pool.filter_h * step_y;
  product.pool_taps = 0;
  for (int32_t y = 0; y < conv.pool.filter_h; ++y) {
    for (int32_t x = 0; x < conv.pool.filter_w; ++x)
      product.pool_offsets[product.pool_taps++] = y * step_y + x * step_x;
  }
  const int64_t work = w.batch * rows * conv.filter.WorkOfARow();
  ForImages(pool, work, w.batch, [&](int64_t n, int thread, ThreadPool* of_image) {
    const uint8_t* const image = input + n * (int64_t{w.input_h} * w.input_w * w.input_depth);
    uint8_t* const padded = scratch + static_cast<size_t>(thread) * ImageSize(conv);
    if (!in_place)
      Pad(conv, image, conv.filter.widens() ? 0 : conv.filter.InputZeroPoint(), padded, of_image);
    Product part = product;
    part.input = in_place ? image : padded;
    part.output = output + n * rows * w.output_depth;
    conv.filter.Multiply(part, rows / conv.columns, of_image);
  });
}

void RunSums(const Conv2D& conv, const uint8_t* image, int32_t zero_point, int32_t* sums, uint8_t* scratch,
             ThreadPool* pool) {
  const Window2D& w = conv.window;
  const int64_t pixel = w.input_depth * conv.filter.element_size();
  const bool in_place = ReadsInPlace(conv);
  if (!in_place) Pad(conv, image, zero_point, scratch, pool);
  Product product = conv.filter.AsProduct();
  product.input = in_place ? image : scratch;
  product.width = w.output_w / conv.columns;
  product.step_x = conv.columns * w.stride_w * pixel;
  product.step_y = w.stride_h * conv.layout.padded_w * pixel;
  product.sums = sums;
  conv.filter.Multiply(product, int64_t{w.output_h} * w.output_w / conv.columns, pool);
}

}  // namespace qat::simd
