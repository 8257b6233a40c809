// Flat float loops over the data: as separate tensor operations the same work took eight passes and as many
// allocations.
#include "train/fake_quantize.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <mutex>

#include "base/check.h"
#include "train/layout.h"
#include "train/vector_clones.h"

namespace qat {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr int64_t kLanes =
    32;  // independent accumulators: with 16, GCC 12 keeps them in memory and takes five times as long
constexpr int64_t kGrain = 32768;  // elements a thread gets at least

QAT_VECTOR_CLONES MeasuredRange MeasureSpan(const float* x, int64_t count) {
  float low[kLanes], high[kLanes];
  float poison[kLanes];  // 0 while everything is finite: 0 * NaN and 0 * inf are NaN
  std::fill(low, low + kLanes, kInfinity);
  std::fill(high, high + kLanes, -kInfinity);
  std::fill(poison, poison + kLanes, 0.0f);
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int64_t k = 0; k < kLanes; ++k) {
      const float value = x[i + k];
      low[k] = value < low[k] ? value : low[k];
      high[k] = value > high[k] ? value : high[k];
      poison[k] += value * 0.0f;
    }
  }
  for (; i < count; ++i) {
    low[0] = std::min(low[0], x[i]);
    high[0] = std::max(high[0], x[i]);
    poison[0] += x[i] * 0.0f;
  }
  MeasuredRange result;
  result.range = {*std::min_element(low, low + kLanes), *std::max_element(high, high + kLanes)};
  for (const float each : poison) result.finite = result.finite && each == 0;
  return result;
}

// The float forms of everything that the loops need.
struct GridConstants {
  float min, max, scale;  // the nudged range
  float offset;           // quant_min - zero_point
  float top;              // quant_max - zero_point
};

GridConstants ConstantsOf(const Grid& grid) {
  const Range nudged = RepresentableRange(grid.params, grid.limits);
  return {nudged.min, nudged.max, grid.params.scale,
          static_cast<float>(grid.limits.quant_min - grid.params.zero_point),
          static_cast<float>(grid.limits.quant_max - grid.params.zero_point)};
}

QAT_VECTOR_CLONES void ClampSpan(const float* __restrict x, float* __restrict y, int64_t count,
                                 Range bounds) {
  for (int64_t i = 0; i < count; ++i) {
    float value = x[i] < bounds.min ? bounds.min : x[i];
    value = value > bounds.max ? bounds.max : value;
    y[i] = value;
  }
}

// The argument of floor is never negative, so truncation does it; x - x is 0, or NaN where x is not finite.
QAT_VECTOR_CLONES void RoundSpan(const float* __restrict x, float* __restrict y, int64_t count, Range bounds,
                                 GridConstants grid) {
  const float low = std::max(bounds.min, grid.min);
  const float high = std::min(bounds.max, grid.max);
  for (int64_t i = 0; i < count; ++i) {
    float clamped = x[i] < low ? low : x[i];
    clamped = clamped > high ? high : clamped;
    const auto steps = static_cast<float>(static_cast<int32_t>((clamped - grid.min) / grid.scale + 0.5f));
    float quantized = steps + grid.offset;
    quantized = quantized > grid.top ? grid.top : quantized;
    y[i] = quantized * grid.scale + (x[i] - x[i]);
  }
}

// Where the gradient passes: strictly inside the activation's bounds, inside the nudged range with its ends;
// as one closed interval.
Range PassingRange(Range open, Range closed) {
  return {std::max(std::nextafter(open.min, kInfinity), closed.min),
          std::min(std::nextafter(open.max, -kInfinity), closed.max)};
}

// Two selects instead of one condition: the compiler makes no branch of them.
QAT_VECTOR_CLONES void MaskSpan(const float* __restrict x, const float* __restrict gradient,
                                float* __restrict out, int64_t count, Range passing) {
  for (int64_t i = 0; i < count; ++i) {
    const float value = x[i];
    float passed = gradient[i];
    passed = value >= passing.min ? passed : 0.0f;
    out[i] = value <= passing.max ? passed : 0.0f;
  }
}

// In pieces whose count fits 32 bits, as many lanes as floats.
QAT_VECTOR_CLONES int64_t CountOutsideSpan(const float* x, int64_t count, Range inside) {
  constexpr int64_t kPiece = int64_t{1} << 30;
  int64_t total = 0;
  for (int64_t begin = 0; begin < count; begin += kPiece) {
    const int64_t end = std::min(begin + kPiece, count);
    int32_t outside = 0;
    for (int64_t i = begin; i < end; ++i) {
      outside += static_cast<int32_t>(x[i] < inside.min) + static_cast<int32_t>(x[i] > inside.max);
    }
    total += outside;
  }
  return total;
}

class ClampAndFakeQuantizeFunction : public torch::autograd::Function<ClampAndFakeQuantizeFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& input, double low,
                            double high, const Grid* grid) {
    const at::Tensor x = Dense(input);
    at::Tensor y = at::empty_like(x);
    const Range bounds = {static_cast<float>(low), static_cast<float>(high)};
    Range closed = {-kInfinity, kInfinity};
    const float* from = x.data_ptr<float>();
    float* to = y.data_ptr<float>();
    if (grid != nullptr) {
      const GridConstants constants = ConstantsOf(*grid);
      closed = {constants.min, constants.max};
      at::parallel_for(0, x.numel(), kGrain, [=](int64_t begin, int64_t end) {
        RoundSpan(from + begin, to + begin, end - begin, bounds, constants);
      });
    } else {
      at::parallel_for(0, x.numel(), kGrain, [=](int64_t begin, int64_t end) {
        ClampSpan(from + begin, to + begin, end - begin, bounds);
      });
    }
    context->save_for_backward({x});
    context->saved_data["ranges"] = std::vector<double>{low, high, closed.min, closed.max};
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const at::Tensor x = context->get_saved_variables()[0];
    const std::vector<double> saved = context->saved_data["ranges"].toDoubleVector();
    const auto number = [&](size_t i) { return static_cast<float>(saved[i]); };
    const at::Tensor passed =
        PassGradient(x, InOrderOf(x, gradients[0]), {number(0), number(1)}, {number(2), number(3)});
    return {passed, at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

class FakeQuantizeSlicesFunction : public torch::autograd::Function<FakeQuantizeSlicesFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext*, const at::Tensor& input,
                            const std::vector<Grid>* grids) {
    const at::Tensor x = input.contiguous();
    at::Tensor y = at::empty_like(x);
    const auto slices = static_cast<int64_t>(grids->size());
    const int64_t inner = x.numel() / slices;
    for (int64_t c = 0; c < slices; ++c) {
      RoundSpan(x.data_ptr<float>() + c * inner, y.data_ptr<float>() + c * inner, inner,
                {-kInfinity, kInfinity}, ConstantsOf((*grids)[static_cast<size_t>(c)]));
    }
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext*,
                                                 torch::autograd::variable_list gradients) {
    return {gradients[0], at::Tensor()};
  }
};

}  // namespace

at::Tensor InOrderOf(const at::Tensor& x, const at::Tensor& gradient) {
  return gradient.strides() == x.strides() ? gradient : at::empty_like(x).copy_(gradient);
}

at::Tensor PassGradient(const at::Tensor& x, const at::Tensor& gradient, Range bounds, Range grid) {
  const Range passing = PassingRange(bounds, grid);
  at::Tensor out = at::empty_like(x);
  const float* from = x.data_ptr<float>();
  const float* given = gradient.data_ptr<float>();
  float* to = out.data_ptr<float>();
  at::parallel_for(0, x.numel(), kGrain, [=](int64_t begin, int64_t end) {
    MaskSpan(from + begin, given + begin, to + begin, end - begin, passing);
  });
  return out;
}

at::Tensor FakeQuantizeSlices(const at::Tensor& input, const std::vector<Grid>& grids) {
  QAT_CHECK(input.dim() > 0 && input.size(0) == static_cast<int64_t>(grids.size()));
  return FakeQuantizeSlicesFunction::apply(input, &grids);
}

MeasuredSlices MeasureSlices(const at::Tensor& values) {
  const at::Tensor x = values.contiguous();
  const int64_t slices = x.size(0);
  const int64_t inner = x.numel() / slices;
  MeasuredSlices all;
  for (int64_t c = 0; c < slices; ++c) {
    const MeasuredRange slice = MeasureSpan(x.data_ptr<float>() + c * inner, inner);
    all.ranges.push_back(slice.range);
    all.finite = all.finite && slice.finite;
  }
  return all;
}

MeasuredRange MeasureRange(const at::Tensor& values) {
  const at::Tensor x = Dense(values);
  const float* data = x.data_ptr<float>();
  MeasuredRange all{{kInfinity, -kInfinity}, true};
  std::mutex mutex;
  at::parallel_for(0, x.numel(), kGrain, [&](int64_t begin, int64_t end) {
    const MeasuredRange part = MeasureSpan(data + begin, end - begin);
    const std::lock_guard lock(mutex);
    all.range = UnionOf(all.range, part.range);
    all.finite = all.finite && part.finite;
  });
  return all;
}

int64_t CountClipped(const at::Tensor& values, Range bounds, const Grid& grid) {
  const Range nudged = RepresentableRange(grid.params, grid.limits);
  const float half = grid.params.scale / 2;
  Range inside = {nudged.min - half, nudged.max + half};
  // What the activation clamps into the range is not clipped by it.
  if (bounds.min >= inside.min) inside.min = -kInfinity;
  if (bounds.max <= inside.max) inside.max = kInfinity;
  const at::Tensor x = Dense(values);
  const float* data = x.data_ptr<float>();
  std::atomic<int64_t> outside = 0;
  at::parallel_for(0, x.numel(), kGrain, [&](int64_t begin, int64_t end) {
    outside += CountOutsideSpan(data + begin, end - begin, inside);
  });
  return outside;
}

at::Tensor ClampAndFakeQuantize(const at::Tensor& input, Range bounds, const std::optional<Grid>& grid) {
  if (!grid && bounds.min == -kInfinity && bounds.max == kInfinity) return input;
  return ClampAndFakeQuantizeFunction::apply(input, bounds.min, bounds.max, grid ? &*grid : nullptr);
}

at::Tensor FakeQuantize(const at::Tensor& input, const Grid& grid) {
  return ClampAndFakeQuantize(input, {-kInfinity, kInfinity}, grid);
}

}  // namespace qat
