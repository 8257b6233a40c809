// The float forward and backward of max pooling (pool_2d.h).
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

#include "base/check.h"
#include "ops/padding.h"
#include "train/modules/pool_2d.h"
#include "train/vector_clones.h"

namespace qat::functional {
namespace {

constexpr int64_t kGrain = 8;  // planes a thread gets at least

// One plane [H, W] and its windows.
struct PlaneGeometry {
  int64_t in_h, in_w, out_h, out_w;
  int64_t before_h, before_w;
  int64_t filter_h, filter_w, stride_h, stride_w;

  int64_t in_size() const { return in_h * in_w; }
  int64_t out_size() const { return out_h * out_w; }
  bool IsPlain2x2() const {
    return filter_h == 2 && filter_w == 2 && stride_h == 2 && stride_w == 2 && before_h == 0 &&
           before_w == 0 && 2 * out_h <= in_h && 2 * out_w <= in_w;
  }
};

PlaneGeometry GeometryOf(const at::Tensor& input, const Pool2DAttributes& a) {
  const auto h = ComputeWindow(a.padding, static_cast<int32_t>(input.size(2)), a.filter_h, a.stride_h);
  const auto w = ComputeWindow(a.padding, static_cast<int32_t>(input.size(3)), a.filter_w, a.stride_w);
  return {input.size(2), input.size(3), h.output,   w.output,   h.before,
          w.before,      a.filter_h,    a.filter_w, a.stride_h, a.stride_w};
}

// NaN wins, so that it is not lost here.
bool Beats(float value, float best) { return value > best || value != value; }

// Two rows of a plane: the larger of each column, and whether it lies in the first row (0) or the second (2).
QAT_VECTOR_CLONES void PoolRows(const float* __restrict top, const float* __restrict bottom, int64_t count,
                                float* __restrict best, int32_t* __restrict row) {
  for (int64_t i = 0; i < count; ++i) {
    const float a = top[i], b = bottom[i];
    const bool lower = (b > a) | (b != b);
    best[i] = lower ? b : a;
    row[i] = lower ? 2 : 0;
  }
}

// Of two columns each. Of equal ones the first in the window's order, of NaNs the last.
QAT_VECTOR_CLONES void PoolColumns(const float* __restrict best, const int32_t* __restrict row, int64_t count,
                                   float* __restrict y, uint8_t* __restrict where) {
  for (int64_t o = 0; o < count; ++o) {
    const float a = best[2 * o], b = best[2 * o + 1];
    const int32_t at = row[2 * o], other = row[2 * o + 1] + 1;
    const bool right = (b > a) | ((b == a) & (other < at)) | ((b != b) & ((a == a) | (other > at)));
    y[o] = right ? b : a;
    where[o] = static_cast<uint8_t>(right ? other : at);
  }
}

// What PoolRows leaves of a plane.
struct PooledRows {
  std::vector<float> best;
  std::vector<int32_t> row;
};

// The common case, without branches, which nothing could predict.
void Pool2x2(const float* x, const PlaneGeometry& g, PooledRows& scratch, float* y, uint8_t* where) {
  const int64_t width = 2 * g.out_w;
  scratch.best.resize(static_cast<size_t>(g.out_h * width));
  scratch.row.resize(scratch.best.size());
  for (int64_t oy = 0; oy < g.out_h; ++oy) {
    const float* top = x + 2 * oy * g.in_w;
    PoolRows(top, top + g.in_w, width, scratch.best.data() + oy * width, scratch.row.data() + oy * width);
  }
  PoolColumns(scratch.best.data(), scratch.row.data(), g.out_size(), y, where);
}

void PoolWindow(const float* x, const PlaneGeometry& g, int64_t oy, int64_t ox, float& best, uint8_t& where) {
  const int64_t y0 = oy * g.stride_h - g.before_h;
  const int64_t x0 = ox * g.stride_w - g.before_w;
  bool first = true;
  for (int64_t i = std::max<int64_t>(0, -y0); i < std::min(g.filter_h, g.in_h - y0); ++i) {
    for (int64_t j = std::max<int64_t>(0, -x0); j < std::min(g.filter_w, g.in_w - x0); ++j) {
      const float value = x[(y0 + i) * g.in_w + x0 + j];
      if (!first && !Beats(value, best)) continue;
      best = value;
      where = static_cast<uint8_t>(i * g.filter_w + j);
      first = false;
    }
  }
}

void PoolPlane(const float* x, const PlaneGeometry& g, PooledRows& scratch, float* y, uint8_t* where) {
  if (g.IsPlain2x2()) return Pool2x2(x, g, scratch, y, where);
  for (int64_t o = 0; o < g.out_size(); ++o) PoolWindow(x, g, o / g.out_w, o % g.out_w, y[o], where[o]);
}

// Adds each window's gradient where its value came from. A plane is cleared right before: it is in the cache
// then.
void UnpoolPlane(const float* gradient, const uint8_t* where, const PlaneGeometry& g, float* out) {
  std::fill(out, out + g.in_size(), 0.0f);
  if (g.IsPlain2x2()) {  // no divisions, and windows that do not overlap
    for (int64_t oy = 0; oy < g.out_h; ++oy) {
      for (int64_t ox = 0; ox < g.out_w; ++ox, ++gradient, ++where)
        out[(2 * oy + (*where >> 1)) * g.in_w + 2 * ox + (*where & 1)] = *gradient;
    }
    return;
  }
  for (int64_t oy = 0; oy < g.out_h; ++oy) {
    for (int64_t ox = 0; ox < g.out_w; ++ox, ++gradient, ++where) {
      const int64_t y = oy * g.stride_h - g.before_h + *where / g.filter_w;
      const int64_t x = ox * g.stride_w - g.before_w + *where % g.filter_w;
      out[y * g.in_w + x] += *gradient;
    }
  }
}

class MaxPoolFunction : public torch::autograd::Function<MaxPoolFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& given,
                            const Pool2DAttributes* attributes) {
    const at::Tensor input = given.contiguous();
    const PlaneGeometry g = GeometryOf(input, *attributes);
    at::Tensor output = at::empty({input.size(0), input.size(1), g.out_h, g.out_w}, at::kFloat);
    at::Tensor where = at::empty(output.sizes(), at::kByte);
    const float* x = input.data_ptr<float>();
    float* y = output.data_ptr<float>();
    uint8_t* w = where.data_ptr<uint8_t>();
    at::parallel_for(0, input.size(0) * input.size(1), kGrain, [=](int64_t begin, int64_t end) {
      PooledRows scratch;
      for (int64_t p = begin; p < end; ++p) {
        PoolPlane(x + p * g.in_size(), g, scratch, y + p * g.out_size(), w + p * g.out_size());
      }
    });
    const Pool2DAttributes& a = *attributes;
    context->saved_data["where"] = where;
    context->saved_data["geometry"] =
        std::vector<int64_t>{g.in_h,     g.in_w,     g.out_h,    g.out_w,    g.before_h,
                             g.before_w, a.filter_h, a.filter_w, a.stride_h, a.stride_w};
    return output;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const at::Tensor where = context->saved_data["where"].toTensor();
    const std::vector<int64_t> s = context->saved_data["geometry"].toIntVector();
    const PlaneGeometry g = {s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8], s[9]};
    const at::Tensor gradient = gradients[0].contiguous();
    at::Tensor out = at::empty({gradient.size(0), gradient.size(1), g.in_h, g.in_w}, at::kFloat);
    const float* given = gradient.data_ptr<float>();
    const uint8_t* w = where.data_ptr<uint8_t>();
    float* to = out.data_ptr<float>();
    at::parallel_for(0, gradient.size(0) * gradient.size(1), kGrain, [=](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p) {
        UnpoolPlane(given + p * g.out_size(), w + p * g.out_size(), g, to + p * g.in_size());
      }
    });
    return {out, at::Tensor()};
  }
};

}  // namespace

at::Tensor MaxPool2D(const at::Tensor& input, const Pool2DAttributes& attributes) {
  QAT_CHECK(attributes.filter_h * attributes.filter_w <= 256);
  // The planes one by one, whatever the layout; the network goes on in its own.
  return MaxPoolFunction::apply(input, &attributes).contiguous(input.suggest_memory_format());
}

}  // namespace qat::functional
