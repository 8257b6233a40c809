// Modules against loops written out here: TFLite's geometry, exact integers, NHWC order.
#include "train/modules/module.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/max_pool2d.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "support/test_util.h"
#include "train/network.h"
#include "train/tiny.h"

namespace qat {
namespace {

using testing::OneLayer;

std::unique_ptr<Module> Make(const Graph& network) {
  auto module = MakeModule(LayerNodeOf(network, network.nodes[0]), {});
  QAT_CHECK(module.ok());
  return *std::move(module);
}

// Values of a tensor as TFLite orders them: [N, H, W, C] for rank 4.
std::vector<double> Nhwc(const at::Tensor& tensor) {
  const at::Tensor rows =
      (tensor.dim() == 4 ? tensor.permute({0, 2, 3, 1}) : tensor).detach().to(at::kDouble).contiguous();
  return {rows.data_ptr<double>(), rows.data_ptr<double>() + rows.numel()};
}

at::Tensor FromNhwc(const Shape& shape, const std::vector<double>& values, at::ScalarType type) {
  at::Tensor rows = at::empty({shape[0], shape[1], shape[2], shape[3]}, at::kDouble);
  std::copy(values.begin(), values.end(), rows.data_ptr<double>());
  return rows.permute({0, 3, 1, 2}).contiguous().to(type);
}

std::vector<double> RandomBytes(size_t count, uint64_t seed) {
  Random random(seed);
  std::vector<double> values(count);
  for (double& value : values) value = random.Between(0, 255);
  return values;
}

struct Geometry {
  int32_t size, kernel, stride, dilation;
  bool same;
};

std::string KeysOf(const Geometry& g, bool pool) {
  std::string text =
      "stride = " + std::to_string(g.stride) + "\npadding = \"" + (g.same ? "same" : "valid") + "\"\n";
  text += (pool ? "window = " : "filters = 3\nkernel = ") + std::to_string(g.kernel) + "\n";
  if (!pool) text += "dilation = " + std::to_string(g.dilation) + "\n";
  return text;
}

// First input row of the window of an output row, by TFLite's formula for SAME, and the number of output
// rows.
std::pair<int32_t, int32_t> Window(const Geometry& g) {
  const int32_t effective = (g.kernel - 1) * g.dilation + 1;
  if (!g.same) return {0, (g.size - effective) / g.stride + 1};
  const int32_t out = (g.size + g.stride - 1) / g.stride;
  return {std::max((out - 1) * g.stride + effective - g.size, 0) / 2, out};
}

// Calls f(input index y, x, filter index i, j) for every tap of output (oy, ox) inside the image.
template <class F>
void ForTaps(const Geometry& g, int32_t oy, int32_t ox, const F& f) {
  const int32_t before = Window(g).first;
  for (int32_t i = 0; i < g.kernel; ++i) {
    for (int32_t j = 0; j < g.kernel; ++j) {
      const int32_t y = oy * g.stride - before + i * g.dilation;
      const int32_t x = ox * g.stride - before + j * g.dilation;
      if (y >= 0 && y < g.size && x >= 0 && x < g.size) f(y, x, i, j);
    }
  }
}

class ModuleGeometry : public ::testing::TestWithParam<Geometry> {};

INSTANTIATE_TEST_SUITE_P(Shapes, ModuleGeometry,
                         ::testing::Values(Geometry{7, 3, 1, 1, true}, Geometry{8, 3, 2, 1, true},
                                           Geometry{7, 2, 1, 1, true}, Geometry{8, 5, 3, 1, true},
                                           Geometry{9, 3, 1, 2, true}, Geometry{8, 3, 1, 1, false},
                                           Geometry{9, 2, 2, 1, false}, Geometry{8, 2, 2, 1, false}));

TEST_P(ModuleGeometry, ConvolutionPadsAsTfliteDoes) {
  const Geometry g = GetParam();
  const Graph network = OneLayer(g.size, g.size, 2, "op = \"conv_2d\"\n" + KeysOf(g, false));
  const auto module = Make(network);
  const std::vector<double> x = RandomBytes(static_cast<size_t>(g.size * g.size * 2), 1);
  const std::vector<double> y = Nhwc(module->Forward({FromNhwc({1, g.size, g.size, 2}, x, at::kFloat)}, {}));
  const NamedTensor filter = ToTfliteLayout(module->parameters()[0].value);
  const int32_t out = Window(g).second;
  ASSERT_EQ(testing::OutputShape(network), (Shape{1, out, out, 3}));
  for (int32_t at = 0; at < out * out * 3; ++at) {
    double sum = 0;
    ForTaps(g, at / 3 / out, at / 3 % out, [&](int32_t r, int32_t c, int32_t i, int32_t j) {
      for (int32_t k = 0; k < 2; ++k) {
        sum += x[static_cast<size_t>((r * g.size + c) * 2 + k)] *
               filter.values[static_cast<size_t>(((at % 3 * g.kernel + i) * g.kernel + j) * 2 + k)];
      }
    });
    ASSERT_NEAR(y[static_cast<size_t>(at)], sum, 1e-2) << at;
  }
}

// The rounding of gemmlowp, from its definition: floor((a * b + 2^30) / 2^31), then to nearest with ties away
// from zero.
int32_t Requantized(int64_t acc, double real_multiplier) {
  int exponent = 0;
  const double fraction = std::frexp(real_multiplier, &exponent);
  const auto multiplier = static_cast<int64_t>(std::round(fraction * 2147483648.0));
  QAT_CHECK(exponent <= 0);
  const auto high = static_cast<int64_t>(
      std::floor((static_cast<long double>(acc) * multiplier + 1073741824.0L) / 2147483648.0L));
  return static_cast<int32_t>(std::round(static_cast<long double>(high) / std::pow(2.0L, -exponent)));
}

// A module whose ranges are fixed, as after training.
void FixRanges(Module& module, Range filter, Range output) {
  module.observers()[0].observer->Fix(filter);
  module.observers()[1].observer->Fix(output);
}

TEST_P(ModuleGeometry, SimulatedConvolutionIsExactInteger) {
  const Geometry g = GetParam();
  const Graph network =
      OneLayer(g.size, g.size, 2, "op = \"conv_2d\"\nactivation = \"relu6\"\n" + KeysOf(g, false));
  const auto module = Make(network);
  module->parameters()[1].value.detach().fill_(0.31f);
  FixRanges(*module, {-0.7f, 0.9f}, {0, 7.5f});
  const QuantizationParams in = {0.02f, 117};
  const QuantizationParams fq = NudgedParams({-0.7f, 0.9f}, kUInt8NarrowLimits);
  const QuantizationParams out_params = NudgedParams({0, 7.5f}, kUInt8Limits);
  const std::vector<double> x = RandomBytes(static_cast<size_t>(g.size * g.size * 2), 2);
  const SimulatedTensor result = module->Simulate({{FromNhwc({1, g.size, g.size, 2}, x, at::kDouble), in}});
  const std::vector<double> y = Nhwc(result.values);
  EXPECT_EQ(result.params, out_params);
  const NamedTensor filter = ToTfliteLayout(module->parameters()[0].value);
  const auto bias = static_cast<int64_t>(std::round(0.31f / static_cast<double>(in.scale * fq.scale)));
  const double multiplier = static_cast<double>(in.scale * fq.scale) / static_cast<double>(out_params.scale);
  const int32_t out = Window(g).second;
  for (int32_t at = 0; at < out * out * 3; ++at) {
    int64_t acc = bias;
    ForTaps(g, at / 3 / out, at / 3 % out, [&](int32_t r, int32_t c, int32_t i, int32_t j) {
      for (int32_t k = 0; k < 2; ++k) {
        const auto q = static_cast<int64_t>(x[static_cast<size_t>((r * g.size + c) * 2 + k)]);
        const float w = filter.values[static_cast<size_t>(((at % 3 * g.kernel + i) * g.kernel + j) * 2 + k)];
        acc += (q - in.zero_point) * (QuantizeFakeQuant(w, fq, kUInt8NarrowLimits) - fq.zero_point);
      }
    });
    const int32_t top =
        std::min(255, out_params.zero_point + static_cast<int32_t>(std::round(6 / out_params.scale)));
    const int32_t expected =
        std::clamp(Requantized(acc, multiplier) + out_params.zero_point, out_params.zero_point, top);
    ASSERT_EQ(y[static_cast<size_t>(at)], expected) << at;
  }
}

TEST_P(ModuleGeometry, PoolsSeeOnlyWhatIsInsideTheImage) {
  Geometry g = GetParam();
  g.dilation = 1;
  const std::vector<double> x = RandomBytes(static_cast<size_t>(g.size * g.size), 3);
  const SimulatedTensor input = {FromNhwc({1, g.size, g.size, 1}, x, at::kDouble), {0.1f, 3}};
  const int32_t out = Window(g).second;
  for (const bool average : {false, true}) {
    const Graph network =
        OneLayer(g.size, g.size, 1,
                 std::string("op = \"") + (average ? "average" : "max") + "_pool_2d\"\n" + KeysOf(g, true));
    const auto module = Make(network);
    const std::vector<double> integers = Nhwc(module->Simulate({input}).values);
    const std::vector<double> reals = Nhwc(module->Forward({input.values.to(at::kFloat)}, {}));
    for (int32_t at = 0; at < out * out; ++at) {
      int64_t sum = 0, count = 0, largest = 0;
      ForTaps(g, at / out, at % out, [&](int32_t r, int32_t c, int32_t, int32_t) {
        const auto q = static_cast<int64_t>(x[static_cast<size_t>(r * g.size + c)]);
        sum += q;
        ++count;
        largest = std::max(largest, q);
      });
      const int64_t expected = average ? (sum + count / 2) / count : largest;
      ASSERT_EQ(integers[static_cast<size_t>(at)], expected) << at;
      const double real =
          average ? static_cast<double>(sum) / static_cast<double>(count) : static_cast<double>(largest);
      ASSERT_NEAR(reals[static_cast<size_t>(at)], real, 1e-4) << at;
    }
  }
}

TEST_P(ModuleGeometry, MaxPoolSendsTheGradientWhereLibTorchDoes) {
  Geometry g = GetParam();
  g.same = false;  // the oracle pads both sides alike
  const Graph network = OneLayer(g.size, g.size, 2, "op = \"max_pool_2d\"\n" + KeysOf(g, true));
  const auto module = Make(network);
  // Few different values: ties are common.
  std::vector<double> x = RandomBytes(static_cast<size_t>(g.size * g.size * 2), 8);
  for (double& value : x) value = std::floor(value / 40);
  at::Tensor ours = FromNhwc({1, g.size, g.size, 2}, x, at::kFloat).set_requires_grad(true);
  at::Tensor theirs = FromNhwc({1, g.size, g.size, 2}, x, at::kFloat).set_requires_grad(true);
  const at::Tensor y = module->Forward({ours}, {});
  at::max_pool2d(theirs, {g.kernel, g.kernel}, {g.stride, g.stride}).backward(at::full_like(y, 0.5f));
  y.backward(at::full_like(y, 0.5f));
  EXPECT_EQ(Nhwc(ours.grad()), Nhwc(theirs.grad()));
}

TEST(MaxPool2DModule, OfTwoByTwoTakesTheFirstOfEqualValuesAndTheLastNaNAsLibTorchDoes) {
  for (int32_t size = 2; size <= 9; ++size) {
    const Graph network =
        OneLayer(size, size, 3, "op = \"max_pool_2d\"\nwindow = 2\nstride = 2\npadding = \"valid\"");
    const auto module = Make(network);
    std::vector<double> x = RandomBytes(static_cast<size_t>(size * size * 3), static_cast<uint64_t>(size));
    for (double& value : x) value = value < 30 ? std::nan("") : std::floor(value / 60);
    at::Tensor ours = FromNhwc({1, size, size, 3}, x, at::kFloat).set_requires_grad(true);
    at::Tensor theirs = FromNhwc({1, size, size, 3}, x, at::kFloat).set_requires_grad(true);
    const at::Tensor y = module->Forward({ours}, {});
    const at::Tensor expected = at::max_pool2d(theirs, {2, 2}, {2, 2});
    EXPECT_TRUE(at::allclose(y, expected, 0, 0, /*equal_nan=*/true)) << size;
    expected.backward(at::full_like(y, 0.5f));
    y.backward(at::full_like(y, 0.5f));
    EXPECT_EQ(Nhwc(ours.grad()), Nhwc(theirs.grad())) << size;
  }
}

TEST(FullyConnectedModule, SimulatesTheDoubleProductOfTheReferenceKernel) {
  const Graph network = OneLayer(3, 4, 5, "op = \"fully_connected\"\nunits = 7\nactivation = \"relu\"\n");
  const auto module = Make(network);
  FixRanges(*module, {-0.5f, 0.6f}, {0, 9});
  const QuantizationParams in = {0.05f, 20};
  const QuantizationParams fq = NudgedParams({-0.5f, 0.6f}, kUInt8NarrowLimits);
  const QuantizationParams out = NudgedParams({0, 9}, kUInt8Limits);
  const std::vector<double> x = RandomBytes(60, 4);
  const std::vector<double> y = Nhwc(module->Simulate({{FromNhwc({1, 3, 4, 5}, x, at::kDouble), in}}).values);
  const NamedTensor filter = ToTfliteLayout(module->parameters()[0].value);
  ASSERT_EQ(filter.shape, (Shape{7, 60}));
  for (size_t o = 0; o < 7; ++o) {
    int64_t acc = 0;
    // Columns run in the order of NHWC.
    for (size_t i = 0; i < 60; ++i) {
      acc += (static_cast<int64_t>(x[i]) - in.zero_point) *
             (QuantizeFakeQuant(filter.values[o * 60 + i], fq, kUInt8NarrowLimits) - fq.zero_point);
    }
    const double scaled =
        static_cast<double>(acc) *
        (static_cast<double>(in.scale) * static_cast<double>(fq.scale) / static_cast<double>(out.scale));
    EXPECT_EQ(y[o],
              std::clamp(static_cast<int32_t>(std::round(scaled)) + out.zero_point, out.zero_point, 255))
        << o;
  }
}

TEST(ReshapeModule, FlattensInTheOrderOfNhwc) {
  const auto module = Make(OneLayer(2, 3, 4, "op = \"reshape\"\n"));
  const std::vector<double> x = RandomBytes(24, 5);
  const at::Tensor flat = module->Forward({FromNhwc({1, 2, 3, 4}, x, at::kFloat)}, {});
  EXPECT_EQ(flat.sizes(), (at::IntArrayRef{1, 24}));
  EXPECT_EQ(Nhwc(flat), x);
}

TEST(ReshapeModule, MakesImagesOfRowsAndBack) {
  const auto module = Make(OneLayer(2, 3, 4, "op = \"reshape\"\nshape = [4, 3, 2]\n"));
  const std::vector<double> x = RandomBytes(24, 6);
  const at::Tensor image = module->Forward({FromNhwc({1, 2, 3, 4}, x, at::kFloat)}, {});
  EXPECT_EQ(image.sizes(), (at::IntArrayRef{1, 2, 4, 3})) << "channels in front, as LibTorch has them";
  EXPECT_EQ(Nhwc(image), x);
}

TEST(DropoutModule, KeepsItsShareAndTheMean) {
  const auto module = Make(OneLayer(1, 1, 1000, "op = \"dropout\"\nkeep = 0.25\n"));
  const at::Tensor x = at::full({20, 1000, 1, 1}, 1.0f);
  const std::vector<double> y = Nhwc(module->Forward({x}, {.training = true, .dropout_key = 5}));
  const auto kept = std::count(y.begin(), y.end(), 4.0);
  EXPECT_EQ(kept + std::count(y.begin(), y.end(), 0.0), 20000);
  EXPECT_NEAR(static_cast<double>(kept) / 20000, 0.25, 0.02);
}

TEST(DropoutModule, DrawsByKeyAndRestsInEvaluation) {
  const auto module = Make(OneLayer(1, 1, 100, "op = \"dropout\"\n"));
  const at::Tensor x = at::full({1, 100, 1, 1}, 1.0f);
  const auto with = [&](uint64_t key) {
    return Nhwc(module->Forward({x}, {.training = true, .dropout_key = key}));
  };
  EXPECT_EQ(with(1), with(1));
  EXPECT_NE(with(1), with(2));
  EXPECT_TRUE(module->Forward({x}, {}).is_same(x));
}

TEST(FilterModule, ObservesAfterTheActivationAndOnlyWhenAsked) {
  const auto module =
      Make(OneLayer(1, 1, 2, "op = \"fully_connected\"\nunits = 1\nactivation = \"relu6\"\n"));
  module->parameters()[0].value.detach().fill_(1);
  const at::Tensor x = at::full({1, 2, 1, 1}, 50.0f);
  module->Forward({x}, {.training = true});
  EXPECT_TRUE(module->observers()[1].observer->empty());
  module->Forward({x}, {.observe = true});
  EXPECT_EQ(module->observers()[0].observer->range(), (Range{0, 1})) << "filter";
  EXPECT_EQ(module->observers()[1].observer->range(), (Range{0, 6})) << "output of 100, clamped by relu6";
}

TEST(FilterModule, KeepsTfliteLayoutOverARoundTrip) {
  const auto module = Make(OneLayer(8, 8, 3, "op = \"conv_2d\"\nfilters = 2\nkernel = 5\n"));
  const NamedTensor filter = ToTfliteLayout(module->parameters()[0].value);
  EXPECT_EQ(filter.shape, (Shape{2, 5, 5, 3}));
  EXPECT_EQ(ToTfliteLayout(FromTfliteLayout(filter)), filter);
}

TEST(FilterModule, AnswersInTheOrderOfNchw) {
  // One channel: the strides alone do not tell the two orders apart.
  const auto module = Make(OneLayer(8, 8, 1, "op = \"conv_2d\"\nfilters = 2\nkernel = 5\n"));
  EXPECT_TRUE(module->parameters()[0].value.is_contiguous());
  EXPECT_EQ(module->parameters()[0].value.strides(), (at::IntArrayRef{25, 25, 5, 1}));
}

TEST(Modules, PrintOneLineEach) {
  const auto module =
      Make(OneLayer(8, 8, 3, "op = \"conv_2d\"\nfilters = 2\nkernel = 5\nactivation = \"relu\"\n"));
  EXPECT_NE(module->PrettyPrint().find("layer: conv_2d(filter [2, 5, 5, 3]"), std::string::npos)
      << module->PrettyPrint();
}

}  // namespace
}  // namespace qat
