// ResizeBilinear and ResizeNearestNeighbor with TFLite's positions: for output pixel i of an axis
//   i * in / out;  half_pixel_centers: (i + 1/2) * in / out - 1/2;  align_corners: i * (in - 1) / (out - 1).
// The grid is passed on: nearest moves values, bilinear rounds them back to it.
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>

#include <algorithm>
#include <cmath>

#include "train/modules/module.h"
#include "train/modules/nhwc.h"

namespace qat {
namespace {

// Along one axis.
struct Extent {
  int32_t in;
  int32_t out;
};

float StepOf(Extent e, const ResizeAttributes& a) {
  if (a.align_corners && e.out > 1) return static_cast<float>(e.in - 1) / static_cast<float>(e.out - 1);
  return static_cast<float>(e.in) / static_cast<float>(e.out);
}

int64_t NearestPixel(int32_t i, Extent e, const ResizeAttributes& a) {
  const float step = StepOf(e, a);
  const float position = (static_cast<float>(i) + (a.half_pixel_centers ? 0.5f : 0.0f)) * step;
  const float pixel = a.align_corners ? std::round(position) : std::floor(position);
  return std::clamp(static_cast<int32_t>(pixel), 0, e.in - 1);
}

// Two neighbours, and the distance of the position from the first one: in pixels, or in 1/1024 of them.
struct Neighbours {
  int32_t low;
  int32_t high;
  double behind;
};

Neighbours FloatNeighbours(int32_t i, Extent e, const ResizeAttributes& a) {
  const float step = StepOf(e, a);
  const float position =
      a.half_pixel_centers ? (static_cast<float>(i) + 0.5f) * step - 0.5f : static_cast<float>(i) * step;
  const int32_t low = std::clamp(static_cast<int32_t>(std::floor(position)), 0, e.in - 1);
  const int32_t high = std::min(static_cast<int32_t>(std::ceil(position)), e.in - 1);
  return {low, high, position - static_cast<float>(low)};
}

// Positions in 1/1024 pixels. Divisions truncate.
Neighbours IntegerNeighbours(int32_t i, Extent e, const ResizeAttributes& a) {
  constexpr int32_t kOne = 1 << 10;
  const bool aligned = a.align_corners && e.out > 1;
  const int32_t from = aligned ? e.in - 1 : e.in, to = aligned ? e.out - 1 : e.out;
  const int32_t step = (from * kOne + to / 2) / to;
  const int32_t position = i * step + (a.half_pixel_centers ? step / 2 - kOne / 2 : 0);
  const int32_t low = std::clamp(position / kOne, 0, e.in - 1);
  const int32_t high = std::min((position + kOne - 1) / kOne, e.in - 1);
  return {low, high, static_cast<double>(position - low * kOne)};
}

class ResizeModule : public Module {
 public:
  ResizeModule(const LayerNode& layer, const ModuleOptions& options)
      : Module(layer, options), attributes_(std::get<ResizeAttributes>(layer.attributes)) {}

 protected:
  Extent HeightOf(const at::Tensor& input) const { return {Size(input, 2), node().Values("size")[0]}; }
  Extent WidthOf(const at::Tensor& input) const { return {Size(input, 3), node().Values("size")[1]}; }
  const ResizeAttributes attributes_;

 private:
  static int32_t Size(const at::Tensor& input, int64_t axis) {
    return static_cast<int32_t>(input.size(axis));
  }
};

class NearestModule final : public ResizeModule {
 public:
  using ResizeModule::ResizeModule;

  at::Tensor Forward(const std::vector<at::Tensor>& inputs, const ForwardContext&) override {
    return Resized(inputs[0]);
  }
  SimulatedTensor Simulate(const std::vector<SimulatedTensor>& inputs) const override {
    return {Resized(inputs[0].values), inputs[0].params};
  }

 private:
  at::Tensor Resized(const at::Tensor& input) const {
    const auto pixels = [&](Extent e) {
      at::Tensor indices = at::empty({e.out}, at::kLong);
      for (int32_t i = 0; i < e.out; ++i) {
        indices.data_ptr<int64_t>()[i] = NearestPixel(i, e, attributes_);
      }
      return indices;
    };
    return input.index_select(2, pixels(HeightOf(input))).index_select(3, pixels(WidthOf(input)));
  }
};

class BilinearModule final : public ResizeModule {
 public:
  using ResizeModule::ResizeModule;

  // rows [H', H] * image [H, W] * columns [W, W'].
  at::Tensor Forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) override {
    const at::Tensor& x = inputs[0];
    const at::Tensor rows = Matrix(HeightOf(x), FloatNeighbours, 1).to(at::kFloat);
    const at::Tensor columns = Matrix(WidthOf(x), FloatNeighbours, 1).to(at::kFloat);
    return Finish(at::matmul(at::matmul(rows, x), columns.t()).contiguous(x.suggest_memory_format()),
                  context);
  }

  SimulatedTensor Simulate(const std::vector<SimulatedTensor>& inputs) const override {
    const at::Tensor& q = inputs[0].values;
    return {activations().type == DType::kInt8 ? ByIntegers(q) : ByFloats(q), inputs[0].params};
  }

 private:
  using NeighboursOf = Neighbours (*)(int32_t, Extent, const ResizeAttributes&);

  // Row i weighs the two neighbours of output pixel i, by `one` together.
  at::Tensor Matrix(Extent e, NeighboursOf neighbours, double one) const {
    at::Tensor matrix = at::empty({e.out, e.in}, at::kDouble).zero_();
    for (int32_t i = 0; i < e.out; ++i) {
      const Neighbours n = neighbours(i, e, attributes_);
      double* row = matrix.data_ptr<double>() + int64_t{i} * e.in;
      row[n.low] += one - n.behind;
      row[n.high] += n.behind;
    }
    return matrix;
  }

  // Weights in 1/1024 each way; the sum, in 1/2^20, is divided rounding half away from zero.
  // Source    tflite/kernels/internal/reference/resize_bilinear.h, ResizeBilinearInteger.
  at::Tensor ByIntegers(const at::Tensor& q) const {
    const at::Tensor rows = Matrix(HeightOf(q), IntegerNeighbours, 1 << 10);
    const at::Tensor columns = Matrix(WidthOf(q), IntegerNeighbours, 1 << 10);
    return MapIntegers(at::matmul(at::matmul(rows, q), columns.t()),
                       [](int32_t sum) { return (sum + (sum >= 0 ? 1 << 19 : -(1 << 19))) / (1 << 20); });
  }

  // Four products in float32, summed in TFLite's order: (low, low), (high, low), (low, high), (high, high) of
  // (row, column). Half up.
  // Source    the same file, ResizeBilinear.
  at::Tensor ByFloats(const at::Tensor& q) const {
    const Axis rows = AxisOf(HeightOf(q), {-1, 1}), columns = AxisOf(WidthOf(q), {1, -1});
    const at::Tensor image = q.to(at::kFloat);
    const auto corner = [&](const at::Tensor& row, const at::Tensor& row_weight, const at::Tensor& column,
                            const at::Tensor& column_weight) {
      return image.index_select(2, row).index_select(3, column).mul(row_weight).mul(column_weight);
    };
    const at::Tensor sum = corner(rows.low, rows.before, columns.low, columns.before) +
                           corner(rows.high, rows.behind, columns.low, columns.before) +
                           corner(rows.low, rows.before, columns.high, columns.behind) +
                           corner(rows.high, rows.behind, columns.high, columns.behind);
    return sum.add(0.5f).floor().to(at::kDouble);
  }

  struct Axis {
    at::Tensor low, high;       // pixels
    at::Tensor before, behind;  // their weights, in the shape that broadcasts
  };
  Axis AxisOf(Extent e, at::IntArrayRef weight_shape) const {
    Axis axis = {
        at::empty({e.out}, at::kLong), at::empty({e.out}, at::kLong), {}, at::empty({e.out}, at::kFloat)};
    for (int32_t i = 0; i < e.out; ++i) {
      const Neighbours n = FloatNeighbours(i, e, attributes_);
      axis.low.data_ptr<int64_t>()[i] = n.low;
      axis.high.data_ptr<int64_t>()[i] = n.high;
      axis.behind.data_ptr<float>()[i] = static_cast<float>(n.behind);
    }
    axis.behind = axis.behind.view(weight_shape);
    axis.before = 1 - axis.behind;
    return axis;
  }
};

}  // namespace

Expected<std::unique_ptr<Module>> MakeResizeBilinear(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<BilinearModule>(layer, options));
}

Expected<std::unique_ptr<Module>> MakeResizeNearestNeighbor(const LayerNode& layer,
                                                            const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<NearestModule>(layer, options));
}

}  // namespace qat
