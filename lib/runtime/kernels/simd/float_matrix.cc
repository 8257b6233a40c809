#include "runtime/kernels/simd/float_matrix.h"

#include <algorithm>

namespace qat::simd {
namespace {

int64_t RoundUp(int64_t value, int64_t step) { return (value + step - 1) / step * step; }

bool ReadsInPlace(const FloatConv2D& conv) {
  return conv.layout.padded_w == conv.window.input_w && conv.layout.padded_h == conv.window.input_h;
}

// Floats of a padded image, in whole cache lines.
size_t ImageSize(const FloatConv2D& conv) {
  return ReadsInPlace(conv) ? 0 : static_cast<size_t>(RoundUp(conv.layout.ImageElements(conv.window), 16));
}

// The image in its border of zeros.
void Pad(const FloatConv2D& conv, const float* image, float* padded, ThreadPool* pool) {
  const auto copy = [](const float* from, float* to, int64_t count) { std::copy_n(from, count, to); };
  ForRuns(pool, kWorkOfACopy * conv.layout.ImageElements(conv.window), conv.layout.padded_h, 1,
          [&](int64_t begin, int64_t end, int) {
            portable::PadRows(conv.window, conv.layout, image, padded, begin, end, copy);
          });
}

void SetClamp(const FloatArithmetic& arithmetic, FloatProduct& product) {
  product.activation_min = arithmetic.activation_min;
  product.activation_max = arithmetic.activation_max;
}

}  // namespace

FloatFilter::FloatFilter(const Instructions& instructions, Segments segments, std::span<const float> filter,
                         int64_t units)
    : instructions_(units <= instructions.narrow.lanes ? &instructions.narrow : &instructions.wide),
      segments_(std::move(segments)),
      units_(units),
      values_(static_cast<size_t>(padded_units()) * segments_.offsets.size() *
              static_cast<size_t>(segments_.segment_size) * sizeof(float)) {
  const int64_t depth = static_cast<int64_t>(segments_.offsets.size()) * segments_.segment_size;
  const int64_t lanes = instructions_->lanes, group_units = lanes * instructions_->blocks;
  auto* const values = reinterpret_cast<float*>(values_.data());
  for (int64_t unit = 0; unit < units; ++unit) {
    const int64_t group = unit / group_units * group_units;
    const int64_t width = std::min(group_units, padded_units() - group);  // of the group
    const float* const from = filter.data() + unit * depth;
    float* const to = values + group * depth + unit - group;
    for (int64_t i = 0; i < depth; ++i) to[i * width] = from[i];
  }
}

int64_t FloatFilter::padded_units() const { return RoundUp(units_, instructions_->lanes); }

FloatProduct FloatFilter::AsProduct() const {
  FloatProduct product = {};
  product.segment_offsets = segments_.offsets.data();
  product.segments = static_cast<int64_t>(segments_.offsets.size());
  product.segment_size = segments_.segment_size;
  product.filter = reinterpret_cast<const float*>(values_.data());
  product.units = product.output_step = units_;
  return product;
}

int64_t FloatFilter::WorkOfARow() const {
  return RoundUp(units_, kVectorOfUnits) * static_cast<int64_t>(segments_.offsets.size()) *
         segments_.segment_size;
}

void FloatFilter::Multiply(const FloatProduct& product, int64_t rows, ThreadPool* pool) const {
  const int64_t depth = product.segments * product.segment_size;
  // Floats: a part of a second-level cache. Measured on mobilenet_v2, commit d19ee7f.
  constexpr int64_t kNear = 65536;
  const int64_t work = rows * WorkOfARow();
  if (SplitsUnits(pool, rows, units_)) {
    ForRuns(pool, work, units_, kUnitGrain, [&](int64_t begin, int64_t end, int) {
      FloatProduct part = product;
      part.begin = 0;
      part.end = rows;
      part.units = end - begin;
      part.filter += begin * depth;
      part.bias += begin;
      part.output += begin;
      instructions_->multiply(part);
    });
    return;
  }
  ForRuns(pool, work, rows, kRowGrain, [&](int64_t begin, int64_t end, int) {
    FloatProduct part = product;
    part.begin = begin;
    part.end = end;
    part.fetches_output = rows * units_ > kNear;
    instructions_->multiply(part);
  });
}

size_t FloatFilter::BiasSize() const { return static_cast<size_t>(padded_units()) * sizeof(float); }

const float* FloatFilter::PadBias(const float* bias, uint8_t* scratch) const {
  auto* const padded = reinterpret_cast<float*>(scratch);
  std::fill_n(padded, padded_units(), 0.0f);
  if (bias != nullptr) std::copy_n(bias, units_, padded);
  return padded;
}

FloatConv2D PrepareFloatConv2D(const Instructions& instructions, const Window2D& window,
                               std::span<const float> filter) {
  const portable::PatchLayout layout(window, 0);
  return {window, layout, FloatFilter(instructions, SegmentsOf(window, layout), filter, window.output_depth)};
}

size_t ScratchSize(const FloatConv2D& conv, int threads) {
  const size_t images = SharesImages(conv.window.batch, threads) ? static_cast<size_t>(threads) : 1;
  return conv.filter.BiasSize() + images * ImageSize(conv) * sizeof(float);
}

void Run(const FloatConv2D& conv, const FloatArithmetic& arithmetic, const float* input, const float* bias,
         float* output, uint8_t* scratch, ThreadPool* pool) {
  const Window2D& w = conv.window;
  FloatProduct product = conv.filter.AsProduct();
  const int64_t rows = int64_t{w.output_h} * w.output_w;
  product.width = w.output_w;
  product.step_x = int64_t{w.stride_w} * w.input_depth;
  product.step_y = w.stride_h * conv.layout.padded_w * w.input_depth;
  product.bias = conv.filter.PadBias(bias, scratch);
  SetClamp(arithmetic, product);
  auto* const padded = reinterpret_cast<float*>(scratch + conv.filter.BiasSize());
  const int64_t work = w.batch * rows * conv.filter.WorkOfARow();
  ForImages(pool, work, w.batch, [&](int64_t n, int thread, ThreadPool* of_image) {
    const float* const image = input + n * (int64_t{w.input_h} * w.input_w * w.input_depth);
    float* const place = padded + static_cast<size_t>(thread) * ImageSize(conv);
    if (!ReadsInPlace(conv)) Pad(conv, image, place, of_image);
    FloatProduct part = product;
    part.input = ReadsInPlace(conv) ? image : place;
    part.output = output + n * rows * w.output_depth;
    conv.filter.Multiply(part, rows, of_image);
  });
}

size_t ScratchSize(const FloatFullyConnected& layer) { return layer.filter.BiasSize(); }

void Run(const FloatFullyConnected& layer, const FloatArithmetic& arithmetic, const float* input,
         const float* bias, float* output, uint8_t* scratch, ThreadPool* pool) {
  FloatProduct product = layer.filter.AsProduct();
  product.input = input;
  product.width = 1;
  product.step_y = layer.shape.acc_depth;
  product.bias = layer.filter.PadBias(bias, scratch);
  product.output = output;
  SetClamp(arithmetic, product);
  layer.filter.Multiply(product, layer.shape.rows, pool);
}

}  // namespace qat::simd
