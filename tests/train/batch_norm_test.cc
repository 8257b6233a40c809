// Batch normalization in layers with a filter, against LibTorch's own operator.
#include <ATen/TensorOperators.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "train/modules/module.h"
#include "train/tiny.h"

namespace qat {
namespace {

using testing::OneLayer;

struct Normed {
  explicit Normed(Scheme scheme) {
    ModuleOptions options;
    options.scheme = scheme;
    auto made = MakeModule(
        OneLayer(6, 6, 3, "op = \"conv_2d\"\nfilters = 4\nkernel = 3\nbatch_norm = {momentum = 0.75}\n")
            .layers[0],
        options);
    QAT_CHECK(made.ok());
    module = *std::move(made);
    parameters = module->parameters();
    for (const int i : {1, 2, 3}) Value(i).detach().copy_(at::randn({4}));
    Value(4).detach().copy_(at::rand({4}) + 0.1);
  }
  at::Tensor& Value(int i) {
    return parameters[static_cast<size_t>(i)].value;
  }  // filter, gamma, beta, mean, variance

  /// The layer without folding, by LibTorch; trains on copies of the moving averages where it trains.
  at::Tensor Unfolded(const at::Tensor& x, bool training, at::Tensor mean, at::Tensor variance) {
    const at::Tensor sums = at::conv2d(x, Value(0), {}, {1, 1}, {1, 1});
    return at::batch_norm(sums, Value(1), Value(2), mean, variance, training, 0.25, 1e-3, false);
  }

  std::unique_ptr<Module> module;
  std::vector<Parameter> parameters;
};

double Largest(const at::Tensor& difference) { return difference.abs().max().item<double>(); }

TEST(BatchNorm, FoldedAndUnfoldedAgree) {
  Normed layer(Scheme::kUInt8);
  const at::Tensor x = at::randn({5, 3, 6, 6});
  const at::Tensor expected = layer.Unfolded(x, false, layer.Value(3), layer.Value(4));
  EXPECT_LT(Largest(layer.module->Forward({x}, {}) - expected), 1e-5);
  EXPECT_LT(Largest(layer.module->Forward({x}, {.training = true, .freeze_batch_norm = true}) - expected),
            1e-5);
}

// Rounding on or off, the batch normalizes and the moving averages move alike: with rounding, the sums of the folded filter
// are corrected back to the batch. Rounding itself is what is left of the difference.
TEST(BatchNorm, CorrectionBringsTheBatchBack) {
  for (const Scheme scheme : {Scheme::kUInt8, Scheme::kInt8}) {
    Normed layer(scheme);
    const at::Tensor x = at::randn({64, 3, 6, 6});
    at::Tensor mean = layer.Value(3).clone();
    at::Tensor variance = layer.Value(4).clone();
    const at::Tensor expected = layer.Unfolded(x, true, mean, variance);
    const at::Tensor before_mean = layer.Value(3).clone();
    const at::Tensor before_variance = layer.Value(4).clone();
    const at::Tensor plain = layer.module->Forward({x}, {.training = true, .observe = true});
    EXPECT_LT(Largest(plain - expected), 1e-5);
    EXPECT_LT(Largest(layer.Value(3) - mean), 1e-6);
    EXPECT_LT(Largest(layer.Value(4) - variance), 1e-5);
    layer.Value(3).copy_(before_mean);
    layer.Value(4).copy_(before_variance);
    const at::Tensor rounded =
        layer.module->Forward({x}, {.training = true, .observe = true, .fake_quantize = true});
    EXPECT_LT(Largest(layer.Value(3) - mean), 1e-6);
    EXPECT_LT(Largest(layer.Value(4) - variance), 1e-5);
    const double range = expected.max().item<double>() - expected.min().item<double>();
    EXPECT_LT(Largest(rounded - expected), 0.03 * range) << NameOf(scheme);
    EXPECT_GT(Largest(rounded - expected), 0) << "something was rounded";
  }
}

TEST(BatchNorm, GradientsReachEveryLearnedParameter) {
  for (const bool frozen : {false, true}) {
    Normed layer(Scheme::kInt8);
    const at::Tensor x = at::randn({8, 3, 6, 6});
    const at::Tensor target = at::randn({8, 4, 6, 6});
    const ForwardContext context = {
        .training = true, .observe = true, .fake_quantize = true, .freeze_batch_norm = frozen};
    layer.module->Forward({x}, context).mul(target).sum().backward();
    for (const int i : {0, 1, 2}) EXPECT_GT(Largest(layer.Value(i).grad()), 0) << layer.parameters[i].name;
    for (const int i : {3, 4}) EXPECT_FALSE(layer.Value(i).grad().defined()) << layer.parameters[i].name;
  }
}

}  // namespace
}  // namespace qat
